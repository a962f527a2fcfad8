/** The thread that sorts and merges: one task after the other. */
import { parentPort } from 'node:worker_threads';
import { performNow } from './tasks.js';
import type { Asked, Done } from './threads.js';

parentPort?.on('message', ({ id, task }: Asked) => {
  let done: Done;
  try {
    done = { id, header: performNow(task) };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    done = { id, error: { name, message } };
  }
  parentPort!.postMessage(done, []);
});
