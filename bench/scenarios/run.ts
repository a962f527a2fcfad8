/** One run of one contender: a fresh server, and every scenario in turn. */
import type { Contender, Running, Settings, Setup } from '../contender.js';
import type { Run, Throughput } from '../results.js';
import type { BenchOptions } from '../options.js';
import { drain } from './drain.js';
import { latency } from './latency.js';
import { measure } from './measure.js';
import { OUTSTANDING, type Stage } from './scenario.js';
import { together } from './together.js';

export interface RanOnce {
  readonly settings: Settings;
  readonly run: Run;
}

export async function runOnce(
  contender: Contender,
  setup: Setup,
  options: BenchOptions,
  log: (line: string) => void,
): Promise<RanOnce> {
  const { jobs, samples, bulk } = options;
  const running = await contender.start(setup);
  const first = await stage(running);
  await first.workers.resume();
  await warmUp(first, jobs);
  const speeds: Record<number, Throughput> = {};
  for (const size of bulk) {
    log(`${jobs} jobs submitted and processed together, ${size} per request`);
    speeds[size] = await together(first, jobs, size);
  }
  await first.workers.stop();
  log(`a queue of ${jobs} drained`);
  const second: Stage = { ...first, workers: await running.startWorkers() };
  const drained = await drain(second, jobs);
  log(`${samples} latencies`);
  const run = { together: speeds, drain: drained, latency: await latency(second, samples) };
  return { settings: await running.describe(), run };
}

async function stage(running: Running): Promise<Stage> {
  return { running, client: await running.startClient(), workers: await running.startWorkers() };
}

/** As many jobs as are measured: fleets run for days, and code that has just started is slow. */
async function warmUp({ running, client }: Stage, jobs: number): Promise<void> {
  const load = { jobs, bulk: 100, outstanding: OUTSTANDING };
  await measure({ running, jobs, pids: {}, begin: async () => void (await client.call('submit', load)) });
}
