/**
 * `ageing`: a broker under load for minutes, with small segments, frequent snapshots and truncations. Load pauses for
 * each sample. How long a start takes is measured on a copy of the folders, so that the broker itself grows old.
 */
import { cp, mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Forked } from '../processes/forked.js';
import type { BrokerCalls, FeederCalls } from './calls.js';
import { feedAll, noSnapshots, performedJobs, waitingJobs, type Figure, type FigureOptions } from './figure.js';
import { memoryOf, loggedBy, Stage, type BrokerSettings } from './stage.js';
import { tableOf, verdictsOf, type Sample } from './ageing-verdict.js';

/** A twentieth of the sizes by default, more or less, so that in minutes happens what takes hours. */
const SOON: BrokerSettings = {
  archivePolicy: { segmentBytes: 2 ** 20, intervalMs: 10_000, pollMs: 500 },
  policies: {
    snapshotPolicy: { leastBytes: 4 * 2 ** 20, times: 1, idleMs: 10_000, idleBytes: 2 ** 20 },
    truncationPolicy: { margin: 64, least: 128, mostLag: 1_000_000, everyMs: 2_000 },
  },
};
const WAITING_JOBS = 20_000;
const SAMPLE_MS = 30_000;
const LEAST_SAMPLES = 9;
/** The copy of a server has a lock, and that of an index, too. */
const NOT_COPIED = new Set(['lock', 'server.lock', 'ports']);

interface Aged {
  readonly stage: Stage;
  readonly broker: Forked<BrokerCalls>;
  readonly feeder: Forked<FeederCalls>;
  readonly jobId: string;
}

type CopyStart = Pick<Sample, 'startMs' | 'leadingMs'>;

async function measureStart({ inScope }: FigureOptions, { stage, jobId }: Aged): Promise<CopyStart> {
  return inScope(async (scope) => {
    const folder = await scope.temporaryFolder('copy');
    for (const each of ['server', 'index'] as const) {
      const from = join(stage.folder, each);
      await mkdir(from, { recursive: true });
      // Files may go while they are copied: what the server makes again, and runs of the index that were merged.
      await cp(from, join(folder, each), { recursive: true, filter: (path) => !NOT_COPIED.has(basename(path)) });
    }
    const copy = await Stage.open(scope, folder);
    const settings = { policies: noSnapshots, archives: false };
    const { answeredMs, leadingMs, fromSnapshot } = await copy.measureStart(settings, jobId);
    if (!fromSnapshot) throw new Error('The copy did not begin with a snapshot.');
    return { startMs: answeredMs, leadingMs };
  });
}

async function sample(options: FigureOptions, aged: Aged, atMs: number, jobs: number): Promise<Sample> {
  const { stage, broker } = aged;
  const { collectedMb, residentMb } = await memoryOf(broker);
  const lines = await loggedBy(broker);
  const { journal, snapshots, consumers, archive, index } = await stage.sizes();
  const count = (message: string): number => lines.filter(({ msg }) => msg === message).length;
  return {
    seconds: Math.round(atMs / 1_000), jobs, residentMb, collectedMb, journalBytes: journal.bytes,
    snapshotBytes: snapshots.bytes, archiveBytes: archive.bytes, indexBytes: index.bytes,
    serverFiles: journal.files + snapshots.files,
    consumerFiles: consumers.files, otherFiles: archive.files + index.files,
    ...(await measureStart(options, aged)), firstSeq: await stage.firstSeq(),
    snapshots: count('snapshot'), truncations: count('the journal is truncated'),
    problems: lines.filter(({ level }) => level > 30).map(({ msg, why }) => (why ? `${msg}: ${why}` : msg)),
  };
}

export const ageing: Figure = (options) => options.inScope(async (scope) => {
  const { minutes, log } = options;
  const stage = await Stage.open(scope);
  const broker = await stage.startBroker(SOON);
  const feeder = await stage.startFeeder();
  const { lastJobId: jobId } = await feedAll(feeder, { ...waitingJobs(WAITING_JOBS), jobs: WAITING_JOBS }, log);
  await stage.startWorker();
  const aged: Aged = { stage, broker, feeder, jobId };
  const everyMs = Math.min(SAMPLE_MS, (minutes * 60_000) / LEAST_SAMPLES);
  const samples: Sample[] = [];
  let [loadedMs, jobs] = [0, 0];
  while (loadedMs < minutes * 60_000 - 1) {
    const fed = await feeder.call('feed', performedJobs({ forMs: everyMs }));
    jobs += fed.jobs;
    loadedMs += everyMs;
    samples.push(await sample(options, aged, loadedMs, jobs));
    log(JSON.stringify(samples.at(-1)));
  }
  const verdicts = verdictsOf(samples, minutes);
  const ok = verdicts.every(({ isFlat }) => isFlat);
  const texts = verdicts.map(({ text }) => text);
  return { ok, data: { minutes, samples, verdicts }, lines: [...tableOf(samples), ...texts, ok ? 'flat' : 'NOT flat'] };
});
