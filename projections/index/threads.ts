/** Two threads for all indexes of this process, started at their first task. They do not keep the process alive. */
import { Worker } from 'node:worker_threads';
import type { Header } from './block.js';
import { errorOf, type Perform, type Task, type TaskError } from './tasks.js';

export interface Asked {
  readonly id: number;
  readonly task: Task;
}

export type Done =
  | { readonly id: number; readonly header: Header }
  | { readonly id: number; readonly error: TaskError };

interface Waiting {
  resolve(header: Header): void;
  reject(error: Error): void;
}

class Thread {
  private readonly waiting = new Map<number, Waiting>();
  private worker: Worker | undefined;
  private asked = 0;

  perform(task: Task): Promise<Header> {
    return new Promise((resolve, reject) => {
      this.worker ??= this.start();
      this.asked += 1;
      this.waiting.set(this.asked, { resolve, reject });
      this.worker.ref();
      this.worker.postMessage({ id: this.asked, task } satisfies Asked, []);
    });
  }

  private start(): Worker {
    const worker = newWorker();
    worker.on('message', (done: Done) => {
      const asked = this.waiting.get(done.id);
      this.waiting.delete(done.id);
      if (this.waiting.size === 0) worker.unref();
      if ('header' in done) asked?.resolve(done.header);
      else asked?.reject(errorOf(done.error));
    });
    worker.on('error', (error) => this.lose(worker, error instanceof Error ? error : new Error(String(error))));
    worker.on('exit', (code) => this.lose(worker, new Error(`the thread of the index ended with ${code}`)));
    return worker;
  }

  /** The next task starts another one. */
  private lose(worker: Worker, error: Error): void {
    if (this.worker !== worker) return;
    this.worker = undefined;
    const lost = [...this.waiting.values()];
    this.waiting.clear();
    for (const { reject } of lost) reject(error);
  }
}

/** From source the thread needs a loader of its own: that of this thread is not passed on. */
function newWorker(): Worker {
  const name = 'reprise-index';
  if (!import.meta.url.endsWith('.ts')) return new Worker(new URL('thread.js', import.meta.url), { name });
  const [loader, entry] = [import.meta.resolve('tsx/esm/api'), new URL('thread.ts', import.meta.url).href];
  const load = `import('${loader}').then(({ register }) => { register(); return import('${entry}'); })`;
  return new Worker(load, { name, eval: true });
}

/** A merge may take seconds; full tables must not wait for it. */
const threads = { write: new Thread(), merge: new Thread() } as const;

export const performInThread: Perform = (task) => threads[task.kind].perform(task);
