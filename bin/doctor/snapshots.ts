/** Checks that snapshots are taken while the journals grow, and says what keeps the journals from being truncated. */
import type { NatsConnection } from '@nats-io/nats-core';
import type { Namespace } from '../../protocols/ids.js';
import { operating } from '../../streams/connect.js';
import { ageText, sizeText } from '../figures.js';
import { figuresOf, type PartitionFigures } from '../system/figures.js';
import { archiveText, journalText, snapshotsText, truncationText } from '../system/lines.js';
import { ok, START_A_BROKER, warn, type Finding } from './finding.js';

const MIB = 1024 * 1024;
/** Leaders take one after 128 MiB, or 8 times the size of the last. Twice as much is late. */
const DUE_BYTES = 128 * MIB;
const DUE_TIMES = 8;
const LATE = 2;
/** In a day there is an idle minute, in which fewer bytes are enough. */
const OLD_MS = 24 * 3_600_000;
const IDLE_BYTES = 8 * MIB;

const SINCE = 'Brokers make the store when they start, those of 0.4.0 or newer: restart them.';

export async function retentionFindings(nc: NatsConnection, ns: Namespace): Promise<Finding[]> {
  try {
    const figures = await figuresOf(nc, ns);
    return [
      journalsFinding(figures), ...snapshotFindings(figures, Date.now()), archiveFinding(figures, Date.now()),
      truncationFinding(figures),
    ];
  } catch (error) {
    const { code, message, hint } = operating(error, 'The snapshots cannot be looked at');
    // A namespace that only brokers before 0.4.0 have served has no store of them.
    return [warn('snapshots', message, code === 'STREAM_MISMATCH' ? `${START_A_BROKER} ${SINCE}` : hint)];
  }
}

const ofEach = (figures: readonly PartitionFigures[], text: (each: PartitionFigures) => string): string =>
  figures.map((each) => `${each.partition}: ${text(each)}`).join('; ');

const journalsFinding = (figures: readonly PartitionFigures[]): Finding => ok('journals', ofEach(figures, journalText));
const truncationFinding = (figures: readonly PartitionFigures[]): Finding =>
  ok('truncation', ofEach(figures, truncationText));

const UNREADABLE =
  'If brokers reach it, all is well: a folder may be on their machine only, and a store wants credentials here, too.';
const GAP =
  'Start the brokers with the archive that has the commits before, --archive or REPRISE_ARCHIVE; `reprise restore` ' +
  'printed it. Until then ended jobs are not found, and nothing is archived.';
const BEHIND =
  'Jobs go on, but the journal is not truncated meanwhile: watch the disk of the server. The log of the broker that ' +
  'leads the partition says why; each broker needs --archive.';
/** A segment is written at the latest when its first commit is 5 minutes old. Three times as much is late. */
const ARCHIVED_MS = 15 * 60_000;

export function archiveFinding(figures: readonly PartitionFigures[], nowMs: number): Finding {
  const problems = figures.map((each) => problemOf(each, nowMs));
  const text = ofEach(figures, archiveText);
  const [problem] = problems.filter((each) => each !== undefined);
  if (problem === undefined) return ok('archive', text);
  const said = problems.flatMap((each, nth) => (each?.found ? [`${figures[nth]!.partition}: ${each.found}`] : []));
  return warn('archive', [text, ...said].join('; '), problem.hint);
}

/** @returns `found` is empty if the text of the archive says it */
function problemOf(
  { journal: { firstSeq, commits }, archive: { location, seq, problem, waitingSinceMs } }: PartitionFigures,
  nowMs: number,
): { readonly found: string; readonly hint: string } | undefined {
  if (problem !== undefined) return { found: '', hint: UNREADABLE };
  if (commits > 0 && firstSeq > seq + 1) {
    return { found: `the journal begins at ${firstSeq}, and what was before is not in it`, hint: GAP };
  }
  if (location === undefined || waitingSinceMs === undefined || nowMs - waitingSinceMs < ARCHIVED_MS) return undefined;
  return { found: `what comes after it has waited for ${ageText(waitingSinceMs, nowMs)}`, hint: BEHIND };
}

const HINT =
  'A broker that starts reads all that was written since. The log of the broker that leads the partition says why no ' +
  'snapshot is taken; `reprise snapshots take` tries it now.';

/** One for each partition that needs attention; if there is none, one for all. */
export function snapshotFindings(figures: readonly PartitionFigures[], nowMs: number): Finding[] {
  const wrong = figures.flatMap((each) => {
    const why = whyLate(each, nowMs);
    return why === undefined ? [] : [warn('snapshots', `partition ${each.partition}: ${why}`, HINT)];
  });
  return wrong.length > 0 ? wrong : [ok('snapshots', ofEach(figures, (each) => snapshotsText(each, nowMs)))];
}

function whyLate({ journal, snapshots }: PartitionFigures, nowMs: number): string | undefined {
  const newest = snapshots.find(({ isVerified }) => isVerified);
  if (newest === undefined) {
    if (journal.bytes < LATE * DUE_BYTES) return undefined;
    return `no snapshot is verified, although the journal has ${sizeText(journal.bytes)}`;
  }
  const positions = Math.max(1, journal.lastSeq - journal.firstSeq + 1);
  const sinceBytes = journal.bytes * Math.min(1, Math.max(0, journal.lastSeq - newest.seq) / positions);
  const isOld = nowMs - newest.takenMs > OLD_MS && sinceBytes > LATE * Math.max(IDLE_BYTES, newest.bytes);
  if (!isOld && sinceBytes <= LATE * Math.max(DUE_BYTES, DUE_TIMES * newest.bytes)) return undefined;
  const age = ageText(newest.takenMs, nowMs);
  return `the newest verified snapshot is ${age} old, and some ${sizeText(sinceBytes)} were written since`;
}
