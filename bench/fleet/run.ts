/** The figures of the fleet: what dispatch costs the leader's core, alone in a process. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Machine } from '../results.js';
import type { LeaseCost } from './leases.js';

export interface WhyCost {
  readonly jobs: number;
  readonly classes: number;
  readonly workers: number;
  readonly ms: number;
}

export interface FleetFigures {
  readonly leases: readonly LeaseCost[];
  /** The largest corner by the smallest. */
  readonly growth: number;
  readonly blocked: { readonly firstUs: number; readonly laterUs: number };
  readonly memory: { readonly jobs: number; readonly residentMb: number };
  readonly why: readonly WhyCost[];
}
export interface FleetResults extends FleetFigures {
  readonly machine: Machine;
}

const CLASSES = [1, 100, 1_000];
const WORKERS = [10, 100, 1_000];
/** The corners are measured so often, in turns; the median counts. */
const CORNER_RUNS = 3;

export async function measureFleet(isQuick: boolean, log: (line: string) => void): Promise<FleetFigures> {
  const most = isQuick ? 100_000 : 1_000_000;
  const leases: LeaseCost[] = [];
  for (const jobs of isQuick ? [1_000, most] : [1_000, 100_000, most]) {
    for (const classes of CLASSES) {
      log(`leases of ${jobs} jobs in ${classes} classes`);
      leases.push(...(await inChild<LeaseCost[]>('leases', jobs, classes, ...WORKERS)));
    }
  }
  log('the smallest and the largest corner, in turns');
  const corners: [number, number][] = [];
  for (let run = 0; run < (isQuick ? 1 : CORNER_RUNS); run += 1) {
    const [smallest] = await inChild<LeaseCost[]>('leases', 1_000, 1, 10);
    const [largest] = await inChild<LeaseCost[]>('leases', most, 1_000, 1_000);
    corners.push([smallest!.leaseUs, largest!.leaseUs]);
  }
  const growths = corners.map(([smallest, largest]) => largest / smallest).sort((a, b) => a - b);
  log('limits, memory and job.why');
  const blocked = await inChild<FleetFigures['blocked']>('blocked');
  const residentMb = await inChild<number>('memory', most);
  const why: WhyCost[] = [];
  for (const [classes, workers] of [[1, 10], [100, 100], [1_000, 100], [1_000, 1_000]] as const) {
    why.push({ jobs: most, classes, workers, ms: await inChild<number>('why', classes, workers, most) });
  }
  return { leases, growth: growths[growths.length >> 1]!, blocked, memory: { jobs: most, residentMb }, why };
}

async function inChild<T>(what: string, ...numbers: readonly number[]): Promise<T> {
  const path = fileURLToPath(new URL('child.js', import.meta.url));
  const child = fork(path, [what, ...numbers.map(String)], { execArgv: ['--expose-gc'] });
  const failed = once(child, 'exit').then(([code]) => Promise.reject(new Error(`${what} ended with ${String(code)}`)));
  failed.catch(() => {});
  const [measured] = (await Promise.race([once(child, 'message'), failed])) as [T];
  if (child.exitCode === null) await once(child, 'exit');
  return measured;
}
