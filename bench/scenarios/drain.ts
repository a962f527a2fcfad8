/** Jobs per second at which workers empty a full queue: from the first completion to the last. */
import type { Throughput } from '../results.js';
import { measure, throughput } from './measure.js';
import { OUTSTANDING, type Stage } from './scenario.js';

const FILL_BULK = 100;

/** The workers of the stage take no jobs yet. */
export async function drain({ running, client, workers }: Stage, jobs: number): Promise<Throughput> {
  await client.call('submit', { jobs, bulk: FILL_BULK, outstanding: OUTSTANDING });
  const finished = await measure({ running, jobs, pids: { workers: workers.pids }, begin: () => workers.resume() });
  const { firstMs, lastMs, atFirst } = finished.completion;
  return throughput(jobs - atFirst, lastMs - firstMs, finished);
}
