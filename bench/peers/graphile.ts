/** graphile-worker on a PostgreSQL with its default durability. */
import { runMigrations } from 'graphile-worker';
import { createRequire } from 'node:module';
import type { ClientCalls } from '../client/calls.js';
import type { Completion, Contender, Deadline, Running, Settings, Setup, Workers } from '../contender.js';
import { Forked } from '../processes/forked.js';
import { until } from '../processes/until.js';
import { PERFORMANCE, POOL, silent } from './graphile.calls.js';
import type { GraphileAddress, GraphileWorkerCalls, GraphileWorkerOptions, Performed } from './graphile.calls.js';
import { findPostgres, startPostgres, type PostgresServer } from './postgres.js';
import { forkWorkers, workersOf } from './workers.js';

const MISSING = 'graphile-worker needs PostgreSQL: apt-get install postgresql';

export const graphile: Contender = {
  name: 'graphile-worker',
  missing: async () => ((await findPostgres()) ? undefined : MISSING),
  start: async (setup) => {
    const postgres = await startPostgres(setup.scope);
    await runMigrations({ preset: { worker: { connectionString: postgres.url, logger: silent } } });
    return new RunningGraphile(postgres, setup);
  },
};

const COMPLETION =
  'handlers count; once all have run, the table of open jobs is polled every 5 ms until it is empty; ' +
  "the first time is that of the first handler";
const RESULT =
  'a trigger on the deletion of the completed row sends NOTIFY to the client; it exists in this scenario only';
const PERFORMED_MS = 10;
const EMPTY_MS = 5;
const VACUUM = 'vacuum graphile_worker._private_jobs';
const OPEN = 'select exists (select from graphile_worker._private_jobs) as open';

class RunningGraphile implements Running {
  readonly servers: Readonly<Record<string, number>>;
  private workers: Forked<GraphileWorkerCalls>[] = [];
  private before = 0;
  private emptyMs = 0;

  constructor(
    private readonly postgres: PostgresServer,
    private readonly setup: Setup,
  ) {
    this.servers = { server: postgres.pid };
  }

  async describe(): Promise<Settings> {
    const { version } = createRequire(import.meta.url)('graphile-worker/package.json') as { version: string };
    const { localQueue, completeJobBatchDelay, failJobBatchDelay } = PERFORMANCE;
    const delays = `completeJobBatchDelay ${completeJobBatchDelay}, failJobBatchDelay ${failJobBatchDelay}`;
    const sync = `fsync ${await this.show('fsync')}, synchronous_commit ${await this.show('synchronous_commit')}`;
    return {
      version: `graphile-worker ${version}, PostgreSQL ${await this.show('server_version')}`,
      durability: `PostgreSQL's default: ${sync}`,
      tuning: [
        'addJobs (addJob at bulk 1)',
        `preset: localQueue.size ${localQueue.size}, ${delays}, maxPoolSize ${POOL}`,
        'vacuum before every measurement',
        `shared_buffers ${await this.show('shared_buffers')}, PostgreSQL's default`,
      ],
      completion: COMPLETION,
      result: RESULT,
    };
  }

  startClient(): Promise<Forked<ClientCalls>> {
    const address: GraphileAddress = { url: this.postgres.url };
    return Forked.start<ClientCalls>(new URL('graphile.client.js', import.meta.url), address, this.setup.scope);
  }

  async startWorkers(): Promise<Workers> {
    const options: GraphileWorkerOptions = { url: this.postgres.url, concurrency: this.setup.concurrency };
    const module = new URL('graphile.worker.js', import.meta.url);
    this.workers = await forkWorkers<GraphileWorkerCalls>(module, options, this.setup);
    return workersOf(this.workers);
  }

  /** Removes the dead rows of earlier jobs, which slow it down, as autovacuum would within a minute. */
  async mark(): Promise<void> {
    await this.postgres.connection.query(VACUUM);
    this.before = (await this.performed()).jobs;
  }

  async settle(jobs: number, check: Deadline): Promise<void> {
    // Querying the table is expensive while it has many dead rows, so the counts of the handlers are polled first.
    const areHandled = async (): Promise<boolean> => (await this.performed()).jobs - this.before >= jobs;
    await until(async () => ((await areHandled()) ? true : undefined), check, PERFORMED_MS);
    await until(async () => ((await this.isEmpty()) ? true : undefined), check, EMPTY_MS);
    this.emptyMs = performance.timeOrigin + performance.now();
  }

  async completion(jobs: number): Promise<Completion | undefined> {
    if (!(await this.isEmpty())) return undefined;
    const performed = await this.performed();
    const count = performed.jobs - this.before;
    if (count !== jobs) throw new Error(`graphile-worker performed ${count} jobs of ${jobs}.`);
    return { firstMs: performed.firstMs, lastMs: this.emptyMs, atFirst: 0 };
  }

  private async performed(): Promise<Performed> {
    const all = await Promise.all(this.workers.map((worker) => worker.call('performed', undefined)));
    const started = all.map(({ firstMs }) => firstMs).filter((firstMs) => firstMs > 0);
    return { jobs: all.reduce((sum, { jobs }) => sum + jobs, 0), firstMs: Math.min(...started) };
  }

  private async isEmpty(): Promise<boolean> {
    const { rows } = await this.postgres.connection.query<{ open: boolean }>(OPEN);
    return rows[0]?.open === false;
  }

  private async show(setting: string): Promise<string> {
    const { rows } = await this.postgres.connection.query<Record<string, string>>(`show ${setting}`);
    return rows[0]?.[setting] ?? 'unknown';
  }
}
