/** `pause`: how long small requests wait while a snapshot of a million jobs is taken, and without one. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Waited } from './calls.js';
import { feedAll, mb, ms, noSnapshots, waitingJobs, type Figure } from './figure.js';
import { Stage } from './stage.js';
import { takeSnapshot, type Taken } from './take.js';

const EVERY_MS = 5;
const WARM_UP_MS = 3_000;

interface Run {
  readonly snapshot: Taken;
  readonly during: Waited;
  /** For as long, without a snapshot. */
  readonly without: Waited;
}

export const pause: Figure = ({ jobs = 1_000_000, runs, inScope, log }) => inScope(async (scope) => {
  const stage = await Stage.open(scope);
  const broker = await stage.startBroker({ policies: noSnapshots, archives: false });
  const feeder = await stage.startFeeder();
  await feedAll(feeder, { ...waitingJobs(jobs), jobs }, log);
  const probing = async (meanwhile: () => Promise<unknown>): Promise<Waited> => {
    await feeder.call('probe', EVERY_MS);
    await meanwhile();
    return feeder.call('waited', undefined);
  };
  await probing(() => sleep(WARM_UP_MS));
  const measured: Run[] = [];
  for (let run = 0; run < runs; run += 1) {
    let snapshot: Taken | undefined;
    const startedMs = performance.now();
    const during = await probing(async () => (snapshot = await takeSnapshot(stage, broker)));
    const without = await probing(() => sleep(performance.now() - startedMs));
    measured.push({ snapshot: snapshot!, during, without });
    log(JSON.stringify(measured.at(-1)));
  }
  const text = ({ longestMs, p99Ms, p50Ms, requests }: Waited): string =>
    `longest ${ms(longestMs)}, p99 ${ms(p99Ms)}, p50 ${ms(p50Ms)} (${requests} requests)`;
  return {
    ok: true,
    data: { jobs, everyMs: EVERY_MS, runs: measured },
    lines: measured.flatMap(({ snapshot, during, without }) => [
      `snapshot of ${jobs} jobs, ${mb(snapshot.bytes)}, in ${ms(snapshot.tookMs)}, frozen in ${ms(snapshot.frozeMs)}`,
      `  requests meanwhile:      ${text(during)}`,
      `  requests without one:    ${text(without)}`,
    ]),
  };
});
