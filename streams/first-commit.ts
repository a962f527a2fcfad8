/** How a journal begins. Where it was truncated, its first commit names the one before, which is stored elsewhere. */
import type { Partition } from '../protocols/ids.js';
import { decodeLeniently } from '../protocols/lenient.js';
import { journal as messages } from '../protocols/messages.js';
import { tryRead } from '../protocols/try-read.js';
import { FIRST_VERSION } from './chain.js';
import type { Journal, Stored } from './journal.js';

export interface FirstCommit {
  readonly journalId: string;
  readonly seq: number;
  /** Of the commit before: 0 and empty at the beginning of the journal. */
  readonly prevSeq: number;
  readonly prevHash: Uint8Array;
}

/** So many foreign messages are skipped. */
const MOST_READ = 100;

/** @returns undefined if the stream has no commit */
export async function firstCommitOf(
  journal: Pick<Journal, 'end' | 'read' | 'partition'>,
): Promise<FirstCommit | undefined> {
  const { firstSeq, lastSeq } = await journal.end();
  for (let seq = firstSeq; seq <= Math.min(lastSeq, firstSeq + MOST_READ - 1); seq += 1) {
    const stored = await journal.read(seq);
    const first = stored && commitIn(stored, journal.partition);
    if (first !== undefined) return first;
  }
  return undefined;
}

function commitIn({ seq, bytes }: Stored, of: Partition): FirstCommit | undefined {
  const commit = tryRead(() => decodeLeniently(messages.Commit, bytes));
  if (commit === undefined || commit.version < FIRST_VERSION || commit.partition !== of) return undefined;
  const { journalId, prevSeq, prevHash } = commit;
  return journalId === '' || prevSeq >= seq ? undefined : { journalId, seq, prevSeq, prevHash };
}
