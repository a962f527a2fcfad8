/** `reprise archive verify` */
import { RepriseError } from '../../protocols/errors.js';
import { archivedJournals } from '../../streams/archive/archive.js';
import { folderOf, isManifestName, type JournalName } from '../../streams/archive/manifest.js';
import { verifyArchive, type Verified } from '../../streams/archive/verify.js';
import { countText } from '../figures.js';
import { Progress } from '../progress.js';
import { note, paint, print, visible } from '../terminal.js';
import { withArchive, type ArchiveFlags, type OpenedArchive } from './location.js';

type Finding = Omit<Extract<Verified, { kind: 'finding' }>, 'kind'>;

interface VerifiedJournal {
  readonly partition: number;
  readonly journalId: string;
  readonly ok: boolean;
  readonly segments: number;
  /** 0 if no segment can be read. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly commits: number;
  /** Contents that are there and are what was written. */
  readonly contents: number;
  readonly removed: number;
  readonly findings: readonly Finding[];
  /** Objects of a write that did not end. They do no harm. */
  readonly unnamed: readonly string[];
}

export async function runVerify(flags: ArchiveFlags): Promise<void> {
  const { journals, location } = await withArchive(flags, async (opened) =>
    ({ journals: await verifyAll(opened), location: opened.store.location }));
  const ok = journals.every((journal) => journal.ok);
  if (flags.json) print(JSON.stringify({ ok, location, journals }));
  else for (const journal of journals) for (const line of linesOf(journal)) print(line);
  if (ok) return;
  process.exitCode = 1;
  const hint = 'Keep the archive as it is, and put the objects that are named back from a copy of the store.';
  note(`${paint('cyan', 'hint:', process.stderr)} ${hint}`);
}

/** @throws RepriseError NOT_FOUND: an archive without journals is more likely a mistaken location than a whole one */
async function verifyAll(opened: OpenedArchive): Promise<VerifiedJournal[]> {
  const { store, namespace } = opened;
  const names = await archivedJournals(store, namespace);
  if (names.length === 0) {
    const hint = 'Check --archive and --namespace.';
    throw new RepriseError('NOT_FOUND', `Nothing of the namespace ${namespace} is in ${store.location}.`, { hint });
  }
  const journals: VerifiedJournal[] = [];
  for (const name of names) journals.push(await verifyOne(opened, name));
  return journals.sort((a, b) => a.partition - b.partition);
}

async function verifyOne({ store }: OpenedArchive, journal: JournalName): Promise<VerifiedJournal> {
  const expected = (await store.list(folderOf(journal))).filter(isManifestName).length;
  const progress = new Progress();
  const [findings, unnamed]: [Finding[], string[]] = [[], []];
  const total = { segments: 0, firstSeq: 0, lastSeq: 0, commits: 0, contents: 0, removed: 0 };
  for await (const found of verifyArchive(store, journal)) {
    if (found.kind === 'segment') add(total, found);
    else if (found.kind === 'unnamed') unnamed.push(found.object);
    else findings.push({ object: found.object, position: found.position, what: found.what });
    progress.show(`partition ${journal.partition}: ${total.segments} of ${expected} segments`);
  }
  progress.clear();
  const { partition, journalId } = journal;
  return { partition, journalId, ok: findings.length === 0, ...total, findings, unnamed };
}

type Total = { -readonly [Field in 'segments' | 'firstSeq' | 'lastSeq' | 'commits' | 'contents' | 'removed']: number };

function add(total: Total, segment: Extract<Verified, { kind: 'segment' }>): void {
  total.segments += 1;
  total.firstSeq ||= segment.firstSeq;
  total.lastSeq = segment.lastSeq;
  total.commits += segment.commits;
  total.contents += segment.contents;
  total.removed += segment.removed;
}

/** All of them are in the JSON. */
const FINDINGS_PRINTED = 20;

function* linesOf(journal: VerifiedJournal): Generator<string> {
  const { partition, journalId, ok, segments, firstSeq, lastSeq, commits, contents, removed, findings } = journal;
  const extent = `${countText(segments)} segments, positions ${firstSeq} to ${lastSeq}, ${countText(commits)} commits`;
  const held = `${countText(contents)} contents, ${countText(removed)} removed`;
  const mark = ok ? `${paint('green', 'ok')}  ` : `${paint('red', 'bad')} `;
  yield `${mark} partition ${partition}, journal ${journalId}: ${extent}, ${held}`;
  for (const { object, position, what } of findings.slice(0, FINDINGS_PRINTED)) {
    yield `       ${visible(object)}${position === undefined ? '' : ` at position ${position}`}: ${visible(what)}`;
  }
  if (findings.length > FINDINGS_PRINTED) {
    yield `       and ${countText(findings.length - FINDINGS_PRINTED)} more; see --json`;
  }
  const { unnamed } = journal;
  if (unnamed.length > 0) yield `       ${countText(unnamed.length)} objects of writes that did not end; they do no harm`;
}
