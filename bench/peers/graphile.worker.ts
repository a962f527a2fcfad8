/** A worker process of graphile-worker: a no-op that counts. */
import { run, type Runner } from 'graphile-worker';
import { givenArgument, serve } from '../processes/serve.js';
import { PERFORMANCE, POOL, silent, TASK, type GraphileWorkerCalls, type GraphileWorkerOptions } from './graphile.calls.js';

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
      const worker = { connectionString: url, concurrentJobs: concurrency, maxPoolSize: POOL, logger: silent, ...PERFORMANCE };
      runner = await run({ preset: { worker }, taskList: { [TASK]: noop }, parsedCronItems: [], noHandleSignals: true });
    },
    performed: async () => ({ jobs, firstMs }),
  },
  async () => runner?.stop(),
);
