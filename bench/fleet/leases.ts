/** What one lease costs, from the pull to its event, with many jobs waiting, in many classes, for many workers. */
import { percentile } from '../output/statistics.js';
import { cpuUs, Stage, type BenchWorker, type GivenJob } from './stage.js';

export interface LeaseCost {
  readonly jobs: number;
  readonly classes: number;
  readonly workers: number;
  /** CPU time of the process. */
  readonly leaseUs: number;
}

/** Each worker gets one job at a time, and all end before the next block, so that no worker holds many. */
const MOST_PER_BLOCK = 100;
const LEASES = 4_000;
/** Until the code is compiled. */
const WARM_UP = 10_000;
/** The quiet blocks: other work on the machine, and collections of garbage, only add to the time. */
const QUIET = 0.25;
const PAYLOAD = Buffer.from('{"n":1}');

const jobOf = (nth: number, classes: number): GivenJob => ({
  type: 'noop', payload: PAYLOAD, ...(classes > 1 && { requireJson: `{"models":["m${nth % classes}"]}` }),
});

/** Of all classes about half, others for each worker. */
function capabilitiesOf(nth: number, classes: number): string {
  const has = (at: number): boolean => classes === 1 || ((at * 2_654_435_761 + nth * 40_503) >>> 7) % 2 === 1;
  const models = Array.from({ length: classes }, (_, at) => at).filter(has).map((at) => `m${at}`);
  return JSON.stringify({ labels: { worker: `w${nth}` }, models });
}

/** @param workers ascending */
export function leaseCosts(jobs: number, classes: number, workers: readonly number[]): LeaseCost[] {
  const stage = new Stage();
  let submitted = 0;
  const submit = (count: number): void => {
    const from = submitted;
    stage.submit(count, (nth) => jobOf(from + nth, classes));
    submitted += count;
  };
  submit(jobs);
  const joined: BenchWorker[] = [];
  return workers.map((count) => {
    while (joined.length < count) joined.push(stage.join(`w${joined.length}`, capabilitiesOf(joined.length, classes)));
    const block = Math.min(MOST_PER_BLOCK, count);
    const times: number[] = [];
    for (let nth = -WARM_UP / block; nth < LEASES / block; nth += 1) {
      submit(block);
      const turns = Array.from({ length: block }, (_, at) => joined[((nth + WARM_UP) * block + at) % count]!);
      const began = cpuUs();
      const leases = turns.map((worker) => stage.lease(worker));
      const took = cpuUs() - began;
      if (leases.includes(undefined)) throw new Error('a worker got nothing');
      for (const lease of leases) stage.end(lease!);
      if (nth >= 0) times.push(took / block);
    }
    return { jobs, classes, workers: count, leaseUs: percentile(times, QUIET) };
  });
}
