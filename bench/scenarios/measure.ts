/** Measures how long the jobs of a scenario take, and the CPU time of each process. */
import type { Completion, Running } from '../contender.js';
import { cpuSeconds, type CpuSeconds } from '../processes/cpu.js';
import { deadline } from '../processes/until.js';
import type { Throughput } from '../results.js';

export interface Work {
  readonly running: Running;
  readonly jobs: number;
  /** Process ids by role; the servers are added. */
  readonly pids: Readonly<Record<string, readonly number[]>>;
  /** Starts the work. */
  readonly begin: () => Promise<void>;
}

export interface Finished {
  readonly completion: Completion;
  readonly cpu?: CpuSeconds;
}

/** The time-out of every measurement. */
const WITHIN_MS = 300_000;

export async function measure({ running, jobs, pids, begin }: Work): Promise<Finished> {
  const roles = { ...mapped(running.servers), ...pids };
  await running.mark();
  const before = await cpuSeconds(roles);
  await begin();
  const check = deadline(`${jobs} jobs are completed`, WITHIN_MS);
  for (;;) {
    await running.settle(jobs, check);
    // Read before the store is queried, which takes CPU time of the server as well.
    const after = await cpuSeconds(roles);
    const completion = await running.completion(jobs);
    if (completion) return { completion, ...(before && after && { cpu: perThousand(before, after, jobs) }) };
    check();
  }
}

export const throughput = (jobs: number, ms: number, { cpu }: Finished): Throughput => ({
  jobsPerSecond: jobs / (ms / 1_000),
  ...(cpu && { cpu }),
});

const mapped = (servers: Readonly<Record<string, number>>): Record<string, number[]> =>
  Object.fromEntries(Object.entries(servers).map(([role, pid]) => [role, [pid]]));

function perThousand(before: CpuSeconds, after: CpuSeconds, jobs: number): CpuSeconds {
  const cost = (role: string, seconds: number): number => ((seconds - (before[role] ?? 0)) / jobs) * 1_000;
  return Object.fromEntries(Object.entries(after).map(([role, seconds]) => [role, cost(role, seconds)]));
}
