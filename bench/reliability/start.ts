/** `start`: how long a broker takes from the start of its process to its first answer, beginning with a snapshot. */
import { medianOf } from '../output/statistics.js';
import type { Memory } from './calls.js';
import { feedAll, mb, ms, performedJobs, waitingJobs, type Figure } from './figure.js';
import { memoryOf, Stage, type Started } from './stage.js';
import { takeSnapshot } from './take.js';

type Run = Omit<Started, 'broker' | 'fromSnapshot'> & Memory;

export const start: Figure = ({ jobs = 1_000_000, ended, runs, inScope, log }) => inScope(async (scope) => {
  const stage = await Stage.open(scope);
  const feeder = await stage.startFeeder();
  const first = await stage.startBroker();
  if (ended > 0) {
    const worker = await stage.startWorker();
    await feedAll(feeder, { ...performedJobs({}), jobs: ended }, log);
    await worker.end();
  }
  const { lastJobId } = await feedAll(feeder, { ...waitingJobs(jobs), jobs }, log);
  const snapshot = await takeSnapshot(stage, first);
  log(`snapshot of ${mb(snapshot.bytes)} in ${ms(snapshot.tookMs)}`);
  await first.end();
  const measured: Run[] = [];
  for (let run = 0; run < runs; run += 1) {
    const { broker, answeredMs, leadingMs, fromSnapshot } = await stage.measureStart({}, lastJobId);
    if (!fromSnapshot) throw new Error('The broker did not begin with a snapshot.');
    measured.push({ answeredMs, leadingMs, ...(await memoryOf(broker)) });
    log(JSON.stringify(measured.at(-1)));
    await broker.end();
  }
  const { answeredMs, leadingMs, residentMb, collectedMb, peakMb } = medianOf(measured);
  return {
    ok: true,
    data: { live: jobs, ended, snapshot, runs: measured, median: medianOf(measured) },
    lines: [
      `start with ${jobs} live jobs and ${ended} ended ones, from a snapshot of ${mb(snapshot.bytes)}: ` +
        `${ms(answeredMs)} to the first answer, ${ms(leadingMs)} of it from election to leading`,
      `memory: peak ${peakMb} MB, resident ${residentMb} MB, ${collectedMb} MB after a collection ` +
        `(medians of ${runs}: ${measured.map((run) => ms(run.answeredMs)).join(', ')})`,
    ],
  };
});
