/** Reprise as installed: nats-server, `reprise broker` and `reprise worker`, each its own process. */
import { createRequire } from 'node:module';
import { access, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { configuration, startServer, type RunningServer } from '../../streams/server/start.js';
import { serverFacts } from '../../streams/server/varz.js';
import type { ClientCalls } from '../client/calls.js';
import type { Completion, Contender, Deadline, Running, Settings, Workers } from '../contender.js';
import { Forked } from '../processes/forked.js';
import { startHeld, type HeldProcess } from '../processes/held.js';
import { deadline, until } from '../processes/until.js';
import type { RepriseAddress } from './reprise.calls.js';
import { Tally } from './tally.js';
import { COMMAND, startRepriseWorkers, type RepriseSetup } from './workers.js';

const DURABILITY = {
  fsync: 'fsync before every acknowledgement (sync_interval: always)',
  relaxed: 'fsync every second (sync_interval: 1s): up to a second of acknowledged jobs may be lost',
} as const;
const SYNCED = 'sync_interval: always';
const COMPLETION =
  'the journal: polled until it stops growing, then read; each job has exactly one JobCompleted; ' +
  "times are those at which the server stored the commits";
const START_WITHIN_MS = 20_000;
/** After so long without a new commit, the work is done or stuck; then the journal is read. */
const QUIET_MS = 250;
const LOOK_MS = 50;

/** As it is installed, and with the durability that BullMQ has at its own default. */
export const reprise = repriseThat('reprise', startServer);
export const relaxed = repriseThat('reprise-relaxed', async ({ dataDir }) => {
  const config = join(dataDir, 'relaxed.conf');
  const text = await readFile(configuration(), 'utf8');
  if (!text.includes(SYNCED)) throw new Error(`nats-server.conf has no ${SYNCED}.`);
  await writeFile(config, text.replaceAll(SYNCED, 'sync_interval: 1s'));
  return startServer({ dataDir, config });
});

function repriseThat(name: string, starting: (options: { dataDir: string }) => Promise<RunningServer>): Contender {
  return {
    name,
    missing: () => access(COMMAND).then(() => undefined, () => 'Reprise is not built: npm run build'),
    async start(setup) {
      const folder = await setup.scope.temporaryFolder('nats');
      const server = await starting({ dataDir: folder });
      setup.scope.add(() => server.stop());
      // The address holds a password, which other users could read in the arguments of the process.
      const env = { ...process.env, REPRISE_NATS_URL: server.brokerUrl };
      const command = [process.execPath, COMMAND, 'broker'];
      const broker = await startHeld({ name: 'broker', command, folder, scope: setup.scope, env });
      const tally = await Tally.open(server.brokerUrl, setup.scope);
      await untilLed(tally, broker);
      return new RunningReprise(server, broker, tally, { ...setup, folder });
    },
  };
}

/** The broker creates the journal and writes its first commit when it leads. */
async function untilLed(tally: Tally, broker: HeldProcess): Promise<void> {
  await until(async () => {
    await broker.assertAlive();
    return tally.end().then((end) => (end > 0 ? true : undefined), () => undefined);
  }, deadline('the broker leads', START_WITHIN_MS));
}

class RunningReprise implements Running {
  readonly servers: Readonly<Record<string, number>>;

  constructor(
    private readonly server: RunningServer,
    private readonly broker: HeldProcess,
    private readonly tally: Tally,
    private readonly setup: RepriseSetup,
  ) {
    this.servers = { server: server.pid, broker: broker.pid };
  }

  async describe(): Promise<Settings> {
    const { version } = createRequire(import.meta.url)('reprise/package.json') as { version: string };
    const facts = await serverFacts(this.server.monitoringUrl);
    return {
      version: `Reprise ${version}, nats-server ${facts.version}`,
      durability: DURABILITY[facts.durability],
      tuning: [
        'the client of the package',
        'one partition, one broker',
        'every event is kept',
        'no subscribers, so no facts are re-published',
      ],
      completion: COMPLETION,
      result: 'submit with wait: the reply carries the result',
    };
  }

  startClient(): Promise<Forked<ClientCalls>> {
    const address: RepriseAddress = { url: this.server.url };
    return Forked.start<ClientCalls>(new URL('reprise.client.js', import.meta.url), address, this.setup.scope);
  }

  startWorkers(): Promise<Workers> {
    return startRepriseWorkers(this.server.url, this.tally, this.setup);
  }

  mark(): Promise<void> {
    return this.tally.mark();
  }

  async settle(_jobs: number, check: Deadline): Promise<void> {
    let end = 0;
    let sinceMs = performance.now();
    while (performance.now() - sinceMs < QUIET_MS) {
      await sleep(LOOK_MS);
      await this.broker.assertAlive();
      check();
      const now = await this.tally.end();
      if (now === end) continue;
      end = now;
      sinceMs = performance.now();
    }
  }

  completion(jobs: number): Promise<Completion | undefined> {
    return this.tally.completion(jobs);
  }
}
