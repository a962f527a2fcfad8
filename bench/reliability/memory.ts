/** `memory`: what a million waiting jobs cost the broker, after they came in and after a restart. */
import { feedAll, mb, noSnapshots, waitingJobs, type Figure } from './figure.js';
import { memoryOf, Stage } from './stage.js';
import { takeSnapshot } from './take.js';

export const memory: Figure = ({ jobs = 1_000_000, inScope, log }) => inScope(async (scope) => {
  const stage = await Stage.open(scope);
  const policies = noSnapshots;
  const broker = await stage.startBroker({ policies });
  const feeder = await stage.startFeeder();
  const empty = await memoryOf(broker);
  const { lastJobId } = await feedAll(feeder, { ...waitingJobs(jobs), jobs }, log);
  const submitted = await memoryOf(broker);
  const snapshot = await takeSnapshot(stage, broker);
  const afterSnapshot = await memoryOf(broker);
  await broker.end();
  const again = await stage.measureStart({ policies }, lastJobId);
  const restarted = await memoryOf(again.broker);
  const line = (what: string, { residentMb, collectedMb, peakMb }: typeof empty): string =>
    `${what}: resident ${residentMb} MB, ${collectedMb} MB after a collection, peak ${peakMb} MB`;
  return {
    ok: true,
    data: { jobs, empty, submitted, snapshot, afterSnapshot, restarted, fromSnapshot: again.fromSnapshot },
    lines: [
      line('a broker without jobs', empty),
      line(`with ${jobs} waiting jobs of 200 bytes, submitted to it`, submitted),
      line(`after a snapshot of ${mb(snapshot.bytes)}`, afterSnapshot),
      line(`after a restart ${again.fromSnapshot ? 'from the snapshot' : 'from the journal'}`, restarted),
    ],
  };
});
