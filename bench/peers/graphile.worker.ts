/** A worker process of graphile-worker with a no-op that counts its calls. */
import { run, type Runner } from 'graphile-worker';
import { givenArgument, serve } from '../processes/serve.js';
import { PERFORMANCE, POOL, silent, TASK } from './graphile.calls.js';
import type { GraphileWorkerCalls, GraphileWorkerOptions } from './graphile.calls.js';

const { url, concurrency } = givenArgument<GraphileWorkerOptions>();
let runner: Runner | undefined;
let jobs = 0;
let firstMs = 0;

function noop(): void {
  if (firstMs === 0) firstMs = performance.timeOrigin + performance.now();
  jobs += 1;
}

serve<GraphileWorkerCalls>(
  {
    resume: async () => {
      const connection = { connectionString: url, maxPoolSize: POOL, logger: silent };
      const preset = { worker: { ...connection, concurrentJobs: concurrency, ...PERFORMANCE } };
      runner = await run({ preset, taskList: { [TASK]: noop }, parsedCronItems: [], noHandleSignals: true });
    },
    performed: async () => ({ jobs, firstMs }),
  },
  async () => runner?.stop(),
);
