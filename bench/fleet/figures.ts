/** The single figures of a leader with a million jobs, and of limits that have no room. */
import type { JobId } from '../../protocols/ids.js';
import { percentile } from '../output/statistics.js';
import { cpuUs, Stage, type GivenJob } from './stage.js';

const MILLION = 1_000_000;
const BLOCKED = 1_000;

const median = (times: readonly number[]): number => percentile(times, 0.5);

function timed(times: number, act: () => void): number {
  const took = Array.from({ length: times }, () => {
    const began = cpuUs();
    act();
    return cpuUs() - began;
  });
  return median(took);
}

/**
 * A thousand keys that are all full, each with a waiting job, before a free one that comes last.
 * @returns CPU time of its lease, when the full keys are looked at for the first time, and later
 */
export function blockedLimits(): { firstUs: number; laterUs: number } {
  const first: number[] = [];
  const later: number[] = [];
  for (let round = 0; round < 12; round += 1) {
    const stage = new Stage();
    stage.configure('default', { perKey: { label: 'tenant', concurrency: 1 } });
    const workers = Array.from({ length: 20 }, (_, nth) => stage.join(`w${nth}`, ''));
    const ofTenants: (nth: number) => GivenJob = (nth) => ({ type: 'noop', labels: { tenant: `t${nth}` } });
    stage.submit(BLOCKED, ofTenants);
    for (let nth = 0; nth < BLOCKED; nth += 1) stage.lease(workers[nth % workers.length]!);
    stage.submit(BLOCKED, (nth) => ({ ...ofTenants(nth), priority: 9 }));
    const last = stage.join('last', '');
    const lease = (): number => {
      stage.submit(1, () => ({ type: 'noop' }));
      const began = cpuUs();
      const leased = stage.lease(last);
      const took = cpuUs() - began;
      if (leased === undefined) throw new Error('the free job was not leased');
      stage.end(leased);
      return took;
    };
    const [once, ...again] = Array.from({ length: 101 }, lease);
    first.push(once!);
    later.push(median(again));
  }
  return { firstUs: median(first.slice(2)), laterUs: median(later.slice(2)) };
}

const full = (nth: number): GivenJob => ({
  type: 'noop', key: `order-${nth}`, payload: Buffer.alloc(1_024, 'x'),
  labels: { tenant: `t${nth % 1_000}`, tier: 'gold' },
  requireJson: `{"models":["m${nth % 100}"],"hardware":{"gpuMemoryGb":${8 * (1 + (nth % 4))}}}`,
  preferJson: `{"labels":{"zone":"z${nth % 4}"}}`, timeouts: { startMs: 86_400_000 },
});

/** Resident memory of a process with so many waiting jobs. Node must expose its collector. */
export function residentMb(jobs = MILLION): number {
  const stage = new Stage();
  stage.submit(jobs, full);
  for (let nth = 0; nth < 3; nth += 1) globalThis.gc!();
  const mb = process.memoryUsage().rss / 1024 / 1024;
  if (stage.core.nowMs === 0) throw new Error('the jobs were collected');
  return mb;
}

/** CPU time of `job.why` for the last of so many jobs in so many classes, and with three priorities. */
export function whyMs(classes: number, workers: number, jobs = MILLION): number {
  const stage = new Stage();
  const model = (nth: number): string => `{"models":["m${nth % classes}"]}`;
  const last: JobId = stage.submit(jobs, (nth) => ({ type: 'noop', priority: nth % 3, requireJson: model(nth) }));
  const asked = stage.submit(1, () => ({ type: 'noop', requireJson: model(0), priority: 0 }));
  for (let nth = 0; nth < workers; nth += 1) {
    const all = Array.from({ length: classes }, (_, at) => `m${at}`);
    const models = all.filter((_, at) => at === 0 || (at + nth) % 2 === 0);
    stage.join(`w${nth}`, JSON.stringify({ labels: { worker: `w${nth}` }, models }));
  }
  const reasons = stage.why(asked).reasons ?? [];
  if (!reasons.some(({ code }) => code === 'BEHIND')) throw new Error(`${last}: ${JSON.stringify(reasons)}`);
  return timed(15, () => void stage.why(asked)) / 1_000;
}
