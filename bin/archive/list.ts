/** `reprise archive ls` */
import { jobKind } from '../../actors/job/job.kind.js';
import { archivedJournals, openArchive, type Archive } from '../../streams/archive/archive.js';
import type { Manifest } from '../../streams/archive/manifest.js';
import { readCommit } from '../../streams/contents.js';
import { countText, sizeText } from '../figures.js';
import { Progress } from '../progress.js';
import { table } from '../table.js';
import { note, print } from '../terminal.js';
import { withArchive, type ArchiveFlags, type OpenedArchive } from './location.js';

export interface ListFlags extends ArchiveFlags {
  readonly jobs?: true;
}

interface ArchivedJournal {
  readonly partition: number;
  readonly journalId: string;
  readonly segments: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly commits: number;
  readonly events: number;
  readonly contents: number;
  /** Of the contents. */
  readonly removed: number;
  /** Of all objects but the manifests. */
  readonly bytes: number;
  /** Of the commits, as they were in the journal. */
  readonly rawBytes: number;
  /** Of the first and last commit, Unix milliseconds. */
  readonly firstMs: number;
  readonly lastMs: number;
  /** How many were submitted; only if they were to be counted. */
  readonly jobs?: number;
}

export async function runList(flags: ListFlags): Promise<void> {
  const { journals, location } = await withArchive(flags, async (opened) =>
    ({ journals: await journalsIn(opened, flags), location: opened.store.location }));
  if (flags.json) return print(JSON.stringify({ location, journals }));
  if (journals.length === 0) return note(`Nothing of this namespace is archived in ${location}.`);
  for (const line of tableOf(journals)) print(line);
}

async function journalsIn({ store, namespace }: OpenedArchive, { jobs }: ListFlags): Promise<ArchivedJournal[]> {
  const journals: ArchivedJournal[] = [];
  for (const { partition, journalId } of await archivedJournals(store, namespace)) {
    const archive = await openArchive(store, namespace, partition, journalId);
    if (archive.manifests.length === 0) continue;
    journals.push({ ...summed(archive), ...(jobs && { jobs: await jobsIn(archive) }) });
  }
  return journals.sort((a, b) => a.partition - b.partition || a.firstMs - b.firstMs);
}

function summed({ journal, manifests }: Archive): ArchivedJournal {
  const [first, last] = [manifests[0]!.facts, manifests.at(-1)!.facts];
  const sum = (of: (manifest: Manifest) => number): number => manifests.reduce((total, each) => total + of(each), 0);
  return {
    partition: journal.partition, journalId: journal.journalId, segments: manifests.length,
    firstSeq: first.firstSeq, lastSeq: last.lastSeq,
    commits: sum(({ facts }) => facts.commits), events: sum(({ facts }) => facts.events),
    contents: sum(({ facts }) => facts.contents), removed: sum(({ contents }) => contents.removed),
    bytes: sum(({ facts, contents }) => facts.blocks.bytes + facts.index.bytes + contents.bytes),
    rawBytes: sum(({ facts }) => facts.rawBytes), firstMs: first.firstMs, lastMs: last.lastMs,
  };
}

/** No manifest says it, so all facts are read. */
async function jobsIn(archive: Archive): Promise<number> {
  const progress = new Progress();
  const lastSeq = archive.head?.seq ?? 0;
  let jobs = 0;
  for await (const { seq, bytes } of archive.replay(1)) {
    for (const { kind, type } of readCommit(bytes).commit.events) {
      if (kind === jobKind.name && type === 'JobSubmitted') jobs += 1;
    }
    progress.show(`partition ${archive.journal.partition}: counting the jobs up to position ${seq} of ${lastSeq}`);
  }
  progress.clear();
  return jobs;
}

const HEADINGS = [
  'partition', 'journal', 'segments', 'positions', 'commits', 'events', 'removed', 'size', 'of the journal', 'from', 'to',
] as const;
const OF_JOBS = ['jobs', 'bytes a job'] as const;

function tableOf(journals: readonly ArchivedJournal[]): Generator<string> {
  const counted = journals.some(({ jobs }) => jobs !== undefined);
  const rows = journals.map((journal) => ({ cells: [...cells(journal), ...(counted ? jobCells(journal) : [])] }));
  return table(counted ? [...HEADINGS, ...OF_JOBS] : HEADINGS, rows);
}

function cells(journal: ArchivedJournal): string[] {
  const { partition, journalId, segments, firstSeq, lastSeq, commits, events, removed, bytes, rawBytes } = journal;
  const share = rawBytes === 0 ? '-' : `${Math.round((100 * bytes) / rawBytes)} %`;
  return [
    String(partition), journalId, countText(segments), `${firstSeq}-${lastSeq}`, countText(commits), countText(events),
    countText(removed), sizeText(bytes), share, timeText(journal.firstMs), timeText(journal.lastMs),
  ];
}

const jobCells = ({ jobs = 0, bytes }: ArchivedJournal): string[] =>
  [countText(jobs), jobs === 0 ? '-' : (bytes / jobs).toFixed(1)];

const timeText = (ms: number): string => new Date(ms).toISOString().replace(/\.\d+Z$/, 'Z');
