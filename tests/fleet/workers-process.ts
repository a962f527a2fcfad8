/**
 * Many foreign workers in one process, each with other capabilities, which change while they run. Every twentieth
 * attempt fails. The process ends when its parent does.
 */
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ForeignWorker } from '../foreign-worker.js';
import { capabilitiesOf } from './jobs.js';

const { FLEET_URL: url = '', FLEET_NAMESPACE: namespace = '', FLEET_FIRST = '0', FLEET_COUNT = '1' } = process.env;
process.stdin.on('end', () => process.exit()).resume();
const protocols = fileURLToPath(new URL('../../protocols', import.meta.url));
let attempts = 0;

async function start(nth: number): Promise<void> {
  let changes = 0;
  const worker = await ForeignWorker.start({
    url, namespace, protocols, workerId: `fleet-${nth}-${process.pid}`, capacity: 4,
    types: nth % 2 === 0 ? ['square', 'cube'] : ['square'],
    capabilities: () => capabilitiesOf(nth, changes),
    handle: async () => {
      await wait(5);
      if ((attempts += 1) % 20 === 0) throw new Error('the twentieth');
      return attempts;
    },
  });
  void (async () => {
    for (;;) {
      await wait(700 + 37 * (nth % 40));
      changes += 1;
      await worker.register().catch(() => undefined);
    }
  })();
}

const [first, count] = [Number(FLEET_FIRST), Number(FLEET_COUNT)];
await start(first);
process.stdout.write('ready\n');
for (let nth = 1; nth < count; nth += 1) await start(first + nth);
