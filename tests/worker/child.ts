/** A worker process to suspend and kill: `child.ts <url> <namespace>`. Its handlers print what they see. */
import { setTimeout as wait } from 'node:timers/promises';
import { performer } from '../../sdk/index.js';
import { work } from './support.js';

const [url = '', namespace = ''] = process.argv.slice(2);
const say = (what: string): boolean => process.stdout.write(`${what}\n`);

const waiting = performer('waiting', async ({ ms }: { ms: number }, { signal }) => {
  signal.addEventListener('abort', () => say('aborted'));
  say('started');
  await wait(ms);
  say('ended');
  return 'late';
});
const square = performer('square', ({ n }: { n: number }) => n * n);

await work(url, [waiting, square], { namespace, concurrency: 2 });
