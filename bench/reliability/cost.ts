/**
 * `cost`: what snapshots, truncation and archive cost of throughput and CPU. Runs with and without take turns, each on
 * a fresh server; a pair is compared with itself, because machines differ from minute to minute.
 */
import { medianOf } from '../output/statistics.js';
import { cpuSeconds } from '../processes/cpu.js';
import type { Scope } from '../processes/scope.js';
import type { Feed } from './calls.js';
import { PERFORMED } from './calls.js';
import { noSnapshots, untilHandled, type Figure, type FigureOptions } from './figure.js';
import { loggedBy, Stage } from './stage.js';

interface Run {
  readonly jobsPerSecond: number;
  /** Microseconds of CPU time a job: of the broker's process, of its archiver, of all processes. */
  readonly brokerUs: number;
  readonly archiverUs: number;
  readonly allUs: number;
  /** How often something happened during the measurement. */
  readonly snapshots: number;
  readonly truncations: number;
}

interface Pair {
  readonly on: Run;
  readonly off: Run;
}

const WARM_UP_JOBS = 20_000;
const OUTSTANDING = 8;
/** Of 200-byte jobs: enough for a snapshot or two by the default policy. */
const DEFAULT_JOBS = 300_000;

async function runOnce(scope: Scope, isOn: boolean, bulk: number, jobs: number): Promise<Run> {
  const stage = await Stage.open(scope);
  const broker = await stage.startBroker(isOn ? {} : { policies: noSnapshots, archives: false });
  const [feeder, worker] = [await stage.startFeeder(), await stage.startWorker()];
  const feed: Feed = {
    jobs: WARM_UP_JOBS, bulk, outstanding: OUTSTANDING, payloadBytes: 200, type: PERFORMED, waits: false,
  };
  await feeder.call('feed', feed);
  await untilHandled(worker, WARM_UP_JOBS);
  await loggedBy(broker);
  const pids = { broker: [broker.pid], all: [broker.pid, stage.server.pid, feeder.pid, worker.pid] };
  const cpu = async () => ({ ...(await cpuSeconds(pids)), own: await broker.call('cpuSeconds', undefined) });
  const before: Readonly<Record<string, number>> = await cpu();
  const startedMs = performance.now();
  await feeder.call('feed', { ...feed, jobs });
  await untilHandled(worker, WARM_UP_JOBS + jobs);
  const tookMs = performance.now() - startedMs;
  const after: Readonly<Record<string, number>> = await cpu();
  const lines = await loggedBy(broker);
  const count = (message: string): number => lines.filter(({ msg }) => msg === message).length;
  const us = (role: string): number => (((after[role] ?? 0) - (before[role] ?? 0)) / jobs) * 1e6;
  return {
    jobsPerSecond: jobs / (tookMs / 1_000), brokerUs: us('own'), archiverUs: us('broker') - us('own'), allUs: us('all'),
    snapshots: count('snapshot'), truncations: count('the journal is truncated'),
  };
}

async function pairs(options: FigureOptions, bulk: number, jobs: number): Promise<Pair[]> {
  const measured: Pair[] = [];
  const once = (isOn: boolean): Promise<Run> => options.inScope((scope) => runOnce(scope, isOn, bulk, jobs));
  for (let nth = 0; nth < options.runs; nth += 1) {
    // Which one is first changes, too.
    const isOnFirst = nth % 2 === 0;
    const [first, second] = [await once(isOnFirst), await once(!isOnFirst)];
    const pair = isOnFirst ? { on: first, off: second } : { on: second, off: first };
    measured.push(pair);
    options.log(`bulk ${bulk}: ${JSON.stringify(pair)}`);
  }
  return measured;
}

/** The median over pairs of what "on" costs, as a share of "off". */
const shares = ({ on, off }: Pair) => ({
  throughput: 1 - on.jobsPerSecond / off.jobsPerSecond,
  brokerUs: on.brokerUs / off.brokerUs - 1,
  allUs: on.allUs / off.allUs - 1,
});

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;

export const cost: Figure = async (options) => {
  const { jobs = DEFAULT_JOBS, bulk: sizes } = options;
  const results = [];
  for (const bulk of sizes) {
    const measured = await pairs(options, bulk, jobs);
    results.push({ bulk, jobs, pairs: measured, median: medianOf(measured), shares: medianOf(measured.map(shares)) });
  }
  return {
    ok: true,
    data: { results },
    lines: results.flatMap(({ bulk, median: { on, off }, shares: share }) => [
      `bulk ${bulk}, ${jobs} jobs: snapshots and archive cost ${percent(share.throughput)} of the throughput ` +
        `(${Math.round(on.jobsPerSecond)} instead of ${Math.round(off.jobsPerSecond)} jobs/s), ` +
        `${percent(share.brokerUs)} more CPU in the broker, ${percent(share.allUs)} in all processes`,
      `  CPU a job: broker ${on.brokerUs.toFixed(1)} instead of ${off.brokerUs.toFixed(1)} µs, archiver ` +
        `${on.archiverUs.toFixed(1)} µs, all ${on.allUs.toFixed(1)} instead of ${off.allUs.toFixed(1)} µs; ` +
        `${on.snapshots} snapshots and ${on.truncations} truncations meanwhile` +
        (on.snapshots === 0 ? ': too few jobs for a snapshot, give more with --jobs' : ''),
    ]),
  };
};
