/**
 * A worker as a process, for tests that kill or suspend it. `double` doubles a number, `slow` waits. It ends when its
 * parent does.
 */
import { setTimeout as wait } from 'node:timers/promises';
import pino from 'pino';
import { performer } from '../worker/performer/performer.js';
import { startWorker } from '../worker/start.js';

const { WORKER_URL: url = '', WORKER_NAMESPACE: namespace = '', REPRISE_TEST_LOG: level = 'silent' } = process.env;
process.stdin.on('end', () => process.exit()).resume();
await startWorker({
  url, namespace, concurrency: 100, log: pino({ level }, pino.destination(2)),
  performers: [
    performer('double', (n: number) => 2 * n),
    performer('slow', async (ms: number, { attempt }) => {
      process.stdout.write(`slow ${attempt}\n`);
      await wait(ms);
      return attempt;
    }),
  ],
});
process.stdout.write('ready\n');
