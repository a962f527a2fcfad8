/**
 * Recorded journals: a data folder for each release, as that release left it, with what it folds to. Every later
 * release must take it over without a loss. From 0.4.0 on it has snapshots, with commits after them.
 *
 *     tests/journals/<version>/data/            the data folder of the server
 *                              recording.json   per partition the version and hash of the canonical view; the jobs
 *                              view.<n>.json    that view, to look at when a hash differs
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KINDS } from '../../actors/kinds.js';
import { PartitionCore } from '../../partition/core/core.js';
import { KEYRING, salts } from '../play.js';
import type { JobPlaces, JobState } from '../../actors/job/canonical.js';
import { placesOf, thaw, viewOf } from '../../partition/core/state.js';
import type { PartBytes } from '../../actors/rows/parts.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { Chain } from '../../streams/chain.js';
import { openJournal } from '../../streams/jetstream.js';
import type { Stored } from '../../streams/journal.js';
import { headOfSnapshot, type Manifest } from '../../streams/snapshots/manifest.js';

export interface RecordedJob {
  readonly jobId: string;
  readonly status: string;
  readonly attempt: number;
  readonly resultBase64?: string;
  readonly contentType?: string;
  readonly failure?: { readonly code: string; readonly message: string };
}

export interface RecordedPartition {
  readonly viewVersion: number;
  readonly viewHash: string;
  readonly seq: number;
  /** Positions of its verified snapshots, newest first. Absent: there were none. */
  readonly snapshots?: readonly number[];
}

export interface Recording {
  readonly namespace: string;
  readonly partitions: readonly RecordedPartition[];
  /** By what the job is there for. */
  readonly jobs: Readonly<Record<string, RecordedJob>>;
  /** Names, in order. Absent: queues could not be paused. */
  readonly pausedQueues?: readonly string[];
}

const FOLDER = import.meta.dirname;

/** Versions that were recorded, oldest first. */
export async function recordedVersions(): Promise<string[]> {
  const names = await readdir(FOLDER);
  return names.filter((name) => existsSync(join(FOLDER, name, 'recording.json'))).sort();
}

export const folderOf = (version: string): string => join(FOLDER, version);

export async function readRecording(version: string): Promise<Recording> {
  return JSON.parse(await readFile(join(folderOf(version), 'recording.json'), 'utf8')) as Recording;
}

/** JSON with the names of every object in order, so that equal views have equal bytes. */
export function canonical(view: unknown): string {
  return JSON.stringify(view, (_, value: unknown) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
    return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

export const hashOfView = (view: unknown): string => createHash('sha256').update(canonical(view)).digest('hex');

/** Of the view that this version makes. */
const VIEW_VERSION = 2;

/** Everything that is in a journal, as it is stored. */
export async function storedIn(url: string, ns: Namespace, partition: Partition): Promise<Stored[]> {
  const source = await openJournal({ url, ns, partition });
  const all: Stored[] = [];
  for await (const stored of source.replay(1)) all.push(stored);
  await source.close();
  return all;
}

export interface Folded {
  readonly version: number;
  readonly seq: number;
}

/** A snapshot to begin with, and its parts. */
export interface Base {
  readonly snapshot: Manifest;
  readonly parts: PartBytes;
}

/**
 * The canonical view of what a journal folds to.
 * @param url with the broker's user @param version of the view
 */
export async function foldedView(
  url: string, ns: Namespace, partition: Partition, version = VIEW_VERSION, base?: Base,
): Promise<Folded> {
  const source = await openJournal({ url, ns, partition });
  const chain = new Chain(partition, base && headOfSnapshot(base.snapshot));
  const core = new PartitionCore({ partition, kinds: KINDS, keyring: KEYRING, salts });
  if (base) thaw(core.state, base.parts);
  for await (const stored of source.replay((base?.snapshot.seq ?? 0) + 1)) {
    const accepted = chain.accept(stored);
    if (accepted.kind === 'commit') core.replay(accepted.commit, accepted.seq);
  }
  await source.close();
  const view = viewOf(core.state);
  return version === 1 ? asVersion1(view, placesOf(core.state)) : view;
}

/**
 * The first version of the view, which 0.1.0 and 0.2.0 recorded, had the fields of all kinds side by side, content by
 * its place, and texts as they are.
 */
function asVersion1({ kinds, outbox: _, ...view }: View, places: Places): Folded & object {
  const { job, worker } = kinds;
  const { jobs, ...rest } = job!.state as { jobs: JobState[] };
  const placesOfJobs = places.kinds['job'] as Record<string, JobPlaces>;
  const jobsAsVersion1 = jobs.map((each) => jobAsVersion1(each, placesOfJobs));
  const version1 = { ...view, submitted: job!.seen, jobs: jobsAsVersion1, ...rest, ...worker!.state, version: 1 };
  return version1;
}

type View = ReturnType<typeof viewOf>;
type Places = ReturnType<typeof placesOf>;

function jobAsVersion1(job: JobState, places: Record<string, JobPlaces>): object {
  const { payload, result, failure, cancelReason } = places[job.id]!;
  const { firstSeq: _, ...rest } = job;
  const at = ({ contentType }: { contentType: string }, [seq, index]: readonly [number, number]): object =>
    ({ seq, index, contentType });
  return {
    ...rest, payload: at(job.payload, payload!), result: job.result && at(job.result, result!),
    failure: job.failure && { code: job.failure.code, message: failure }, cancelReason: cancelReason ?? '',
  };
}
