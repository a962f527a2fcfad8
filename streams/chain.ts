/** Checks the chain of commits, link by link. Pure. Called for every commit of a replay. */
import { hash } from 'node:crypto';
import { RepriseError } from '../protocols/errors.js';
import type { Partition } from '../protocols/ids.js';
import type { journal } from '../protocols/messages.js';
import { commitHash, hashOfPart, readCommit, type ReadCommit } from './contents.js';
import type { Stored } from './journal.js';
import { tooNew } from './too-new.js';

/** The version of the envelope that is written. */
export const COMMIT_VERSION = 2;
/** The highest `minReader` that this version satisfies. */
export const READER = 3;
/** `minReader` of every commit before a VersionBarrier: release 0.3.0 satisfies it. */
export const BASE_READER = 2;
/** Written where an older reader must halt: it skips a commit of a newer version as a foreign message. */
export const FIRST_VERSION = 1;

/** Position and hash of a journal's last commit, with what the next commit needs of it. */
export interface Head {
  readonly journalId: string;
  readonly partition: Partition;
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly epoch: number;
  readonly nowMs: number;
  /** What its commit needs. The next one needs no less. */
  readonly minReader: number;
}

export type Accepted =
  /** The bodies of its events are whole, except for content that was removed. */
  | ({ readonly kind: 'commit'; readonly seq: number; readonly bytes: Uint8Array } & ReadCommit)
  /** A message that no leader of this journal wrote. It is skipped and logged. */
  | { readonly kind: 'foreign'; readonly seq: number; readonly why: string };

/** SHA-256. It is the hash of a commit of version 1; for later versions see {@link commitHash}. */
export const hashOf = (bytes: Uint8Array): Uint8Array => hash('sha256', bytes, 'buffer');

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && Buffer.compare(a, b) === 0;

/** The head of a journal whose last commit is at `seq`. */
export function headOf(
  commit: Heading, partition: Partition, seq: number, bytes: Uint8Array,
): Head {
  return headWith(commit, partition, seq, commitHash(bytes));
}

/** What a head has of its commit. */
type Heading = Pick<journal.Commit, 'journalId' | 'epoch' | 'nowMs' | 'minReader'>;

function headWith(
  { journalId, epoch, nowMs, minReader }: Heading, partition: Partition, seq: number, hashed: Uint8Array,
): Head {
  return { journalId, partition, seq, hash: hashed, epoch, nowMs, minReader };
}

export class Chain {
  /** The last commit that was accepted, undefined while there is none. */
  head: Head | undefined;
  /** The last position that was read. */
  private readSeq: number;
  /** The first position after the head that has no message any more. */
  private missing: number | undefined;

  /** @param reader the number of this reader; another one in tests */
  constructor(
    private readonly partition: Partition,
    head?: Head,
    private readonly reader = READER,
  ) {
    this.head = head;
    this.readSeq = head?.seq ?? 0;
  }

  /** @throws RepriseError JOURNAL_BROKEN or JOURNAL_TOO_NEW; `cause.position` is the first bad or missing position */
  accept(stored: Stored): Accepted {
    if (stored.seq > this.readSeq + 1) this.missing ??= this.readSeq + 1;
    this.readSeq = stored.seq;
    const read = decode(stored.bytes);
    const why = read === undefined ? 'it is not a commit' : this.whyForeign(read.commit);
    if (read === undefined || why !== undefined) return { kind: 'foreign', seq: stored.seq, why: why ?? '' };
    this.link(read.commit, stored.seq);
    const minReader = Math.max(read.commit.minReader, this.head?.minReader ?? 0);
    const hashed = hashOfPart(stored.bytes, read.encoded.hashedBytes);
    this.head = { ...headWith(read.commit, this.partition, stored.seq, hashed), minReader };
    this.missing = undefined;
    return { kind: 'commit', seq: stored.seq, bytes: stored.bytes, ...read };
  }

  private whyForeign(commit: journal.Commit): string | undefined {
    if (commit.version < FIRST_VERSION) return `it has version ${commit.version}, below ${FIRST_VERSION}`;
    if (commit.partition !== this.partition) return `it is a commit of partition ${commit.partition}`;
    if (commit.journalId === '') return 'it names no journal';
    if (this.head === undefined) return undefined;
    const { journalId } = commit;
    if (journalId !== this.head.journalId) return `it is a commit of the journal ${journalId.slice(0, 64)}`;
    // No leader can have written it: the fence admits only a commit that follows the last one.
    return commit.prevSeq < this.head.seq ? `it follows position ${commit.prevSeq}, which has a successor` : undefined;
  }

  private link(commit: journal.Commit, seq: number): void {
    // An unknown version cannot be read, whatever its `minReader` is.
    const needed = Math.max(commit.minReader, commit.version > COMMIT_VERSION ? this.reader + 1 : 0);
    if (needed > this.reader) throw tooNew(commit, seq, needed, this.reader);
    const head = this.head;
    if (commit.prevSeq >= seq) {
      throw this.broken(seq, `The commit at ${this.at(seq)} names ${commit.prevSeq}, a later one, as the one before.`);
    }
    if (commit.prevSeq !== (head?.seq ?? 0)) {
      const position = this.missing ?? commit.prevSeq;
      throw this.broken(
        position,
        `Position ${this.at(position)} is missing or changed: the commit at ${seq} follows ${commit.prevSeq}, ` +
          `but the last commit before it is at ${head?.seq ?? 0}.`,
      );
    }
    if (!sameBytes(commit.prevHash, head?.hash ?? NONE)) {
      const before = head?.seq ?? seq;
      throw this.broken(
        before,
        `Position ${this.at(before)} or ${seq} was changed: ` +
          `the commit at ${seq} names another hash for the one before.`,
      );
    }
  }

  private at = (seq: number): string => `${seq} of partition ${this.partition}`;
  private broken = (position: number, message: string): RepriseError =>
    new RepriseError('JOURNAL_BROKEN', message, { cause: { position } });
}

const NONE = new Uint8Array(0);

function decode(bytes: Uint8Array): ReadCommit | undefined {
  try {
    return readCommit(bytes);
  } catch {
    return undefined;
  }
}
