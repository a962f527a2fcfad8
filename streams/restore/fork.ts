/**
 * The commit behind the last one that was restored. From here on there are two histories of this journal: this one, and
 * the one that the namespace had, or still has, after the backup. It is a take-over, so that every later commit belongs
 * to an epoch that the other history cannot reach: workers and watchers that have seen that history go by the epoch.
 */
import { RepriseError } from '../../protocols/errors.js';
import { journal } from '../../protocols/messages.js';
import { tryRead } from '../../protocols/try-read.js';
import { FIRST_VERSION, headOf, type Head } from '../chain.js';
import { encodeCommit, encodeEvents, headerAfter } from '../commit.js';
import { decodeCommit } from '../contents.js';
import type { Stored } from '../journal.js';

/** What reads a JournalRestored. */
const SINCE = 3;
const TYPE = 'JournalRestored';

export interface Restoring {
  /** Number and time of the backup. */
  readonly backup: string;
  readonly reason: string;
  readonly release: string;
  readonly leaderId: string;
  /** Wall clock, Unix milliseconds. */
  readonly nowMs: number;
}

/**
 * In the first version of the envelope, at which readers of any age halt if they are too old.
 * @param head the last commit that was restored
 */
export function forkAfter(head: Head, { backup, reason, release, leaderId, nowMs }: Restoring): Stored {
  // More leaders than there are seconds would be needed to reach it. A later restore is in a later second.
  const epoch = Math.max(head.epoch + 1, Math.floor(nowMs / 1_000));
  // The time of the journal: this machine's clock may be wrong, and a journal's time never goes back.
  const header = { ...headerAfter(head, { leaderId, epoch }, head.nowMs, SINCE), version: FIRST_VERSION };
  const started = { status: 'led', epoch, leaderId, broker: 'reprise restore' };
  const restored = { seq: head.seq, restoredMs: Math.floor(nowMs), backup, reason, release };
  const events = [
    event(head, 'LeaderStarted', journal.LeaderStarted.encode(started).finish()),
    ...(head.minReader >= SINCE ? [] : [
      event(head, 'VersionBarrier', journal.VersionBarrier.encode({ reader: SINCE, release }).finish()),
    ]),
    event(head, TYPE, journal.JournalRestored.encode(restored).finish()),
  ];
  return { seq: head.seq + 1, bytes: encodeCommit(header, encodeEvents(events)) };
}

function event({ partition }: Head, type: string, body: Uint8Array): Uint8Array {
  const cause = { commandId: '', type: 'Restore', by: 'reprise restore', verified: false };
  return journal.Event.encode({ kind: 'partition', id: String(partition), type, version: 1, cause, body }).finish();
}

/** The head behind it. @throws RepriseError STREAM_MISMATCH if it is not the commit of a restore up to that head */
export function headOfFork({ seq, bytes }: Stored, before: Head): Head {
  const commit = tryRead(() => decodeCommit(bytes));
  const restored = commit?.events.find(({ type }) => type === TYPE);
  const of = restored && tryRead(() => journal.JournalRestored.decode(restored.body ?? new Uint8Array(0)));
  if (commit !== undefined && of?.seq === before.seq && commit.prevSeq === before.seq) {
    return headOf(commit, before.partition, seq, bytes);
  }
  const which = `Position ${seq} of partition ${before.partition}`;
  const message = `${which} is not the record of a restore up to ${before.seq}.`;
  throw new RepriseError('STREAM_MISMATCH', message);
}
