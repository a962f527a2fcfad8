/** One run of one contender: a fresh server, and every scenario in turn. */
import type { Contender, Running, Settings, Setup } from '../contender.js';
import type { Run, Throughput } from '../results.js';
import type { BenchOptions } from '../options.js';
import { drain } from './drain.js';
import { latency } from './latency.js';
import { measure } from './measure.js';
import { OUTSTANDING, type Stage } from './scenario.js';
import { together } from './together.js';

export async function runOnce(contender: Contender, setup: Setup, options: BenchOptions, say: (line: string) => void): Promise<{ settings: Settings; run: Run }> {
  const { jobs, samples, bulk } = options;
  const running = await contender.start(setup);
  const first = await stage(running);
  await first.workers.resume();
  await warmUp(first, jobs);
  const speeds: Record<number, Throughput> = {};
  for (const size of bulk) {
    say(`${jobs} jobs submitted and processed together, ${size} per request`);
    speeds[size] = await together(first, jobs, size);
  }
  await first.workers.stop();
  say(`a queue of ${jobs} drained`);
  const second: Stage = { ...first, workers: await running.startWorkers() };
  const drained = await drain(second, jobs);
  say(`${samples} latencies`);
  const run = { together: speeds, drain: drained, latency: await latency(second, samples) };
  return { settings: await running.describe(), run };
}

async function stage(running: Running): Promise<Stage> {
  return { running, client: await running.startClient(), workers: await running.startWorkers() };
}

/** As many jobs as are measured: fleets run for days, and code that has just started is slow, whoever's it is. */
async function warmUp({ running, client }: Stage, jobs: number): Promise<void> {
  const load = { jobs, bulk: 100, outstanding: OUTSTANDING };
  await measure({ running, jobs, pids: {}, begin: async () => void (await client.call('submit', load)) });
}
