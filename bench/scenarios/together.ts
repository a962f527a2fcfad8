/** Jobs per second, submitted and processed together: from the first request to the last completion in the store. */
import type { Throughput } from '../results.js';
import { measure, throughput } from './measure.js';
import { OUTSTANDING, type Stage } from './scenario.js';

export async function together({ running, client, workers }: Stage, jobs: number, bulk: number): Promise<Throughput> {
  let startedMs = 0;
  const finished = await measure({
    running,
    jobs,
    pids: { workers: workers.pids, client: [client.pid] },
    begin: async () => {
      ({ startedMs } = await client.call('submit', { jobs, bulk, outstanding: OUTSTANDING }));
    },
  });
  return throughput(jobs, finished.completion.lastMs - startedMs, finished);
}
