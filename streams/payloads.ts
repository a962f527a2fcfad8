/**
 * Payloads and results by their position in the journal. A leader's state holds positions only. Recent commits are
 * cached as the bytes that were written, which costs no encoding; older ones are read from the journal.
 */
import { messageOf, RepriseError } from '../protocols/errors.js';
import { decodeLeniently } from '../protocols/lenient.js';
import { journal } from '../protocols/messages.js';
import { checkWritten } from './contents.js';
import { EncodedCommit } from './encoded-commit.js';
import { Fields } from './fields.js';
import type { Stored } from './journal.js';
import type { Carried } from './snapshots/carried.js';

/** Some 50,000 small jobs. The payloads of a longer backlog are read from the journal, one commit at a time. */
const MAX_BYTES = 24 * 1024 * 1024;
/** Approximate memory of a cached commit beside its bytes. */
const COMMIT_COST = 400;

/** Returned for content that was removed. It differs from empty content by identity. */
export const REMOVED: Uint8Array = new Uint8Array(0);

/**
 * The field of its body that holds an event's content, if the content is part of the body, as in version 1.
 * @returns undefined for an event without content
 */
export type ContentFields = (kind: string, type: string) => number | undefined;

interface Kept {
  readonly bytes: Uint8Array;
  /** Read from the journal, not written by this process. */
  readonly isRead: boolean;
  /** Of a commit that this process wrote: set at the first access. */
  encoded: EncodedCommit | undefined;
}

export class Payloads {
  /** In order of last use. */
  private readonly commits = new Map<number, Kept>();
  private readonly reads = new Map<number, Promise<Kept>>();
  private cost = 0;

  constructor(
    private readonly read: (seq: number) => Promise<Stored | undefined>,
    private readonly fields: ContentFields,
    /** What outlives the journal's reach. */
    private readonly carried?: Pick<Carried, 'find'>,
    private readonly maxBytes = MAX_BYTES,
  ) {}

  /** The current size of the cache. */
  get bytes(): number {
    return this.cost;
  }

  /** Caches a commit, as it was written at `seq`. */
  put(seq: number, commit: Uint8Array): void {
    this.keep(seq, { bytes: commit, isRead: false, encoded: undefined });
  }

  /**
   * @param index of the event within the commit at `seq`
   * @returns {@link REMOVED} if it was removed; undefined if the commit is not cached or {@link load} would throw
   */
  get(seq: number, index: number): Uint8Array | undefined {
    const kept = this.commits.get(seq);
    if (kept === undefined) return undefined;
    try {
      return this.contentOf(kept, seq, index);
    } catch {
      return undefined;
    }
  }

  /** @throws RepriseError JOURNAL_BROKEN for content that is not what was written, or that cannot be read */
  async load(seq: number, index: number): Promise<Uint8Array> {
    const kept = this.touch(seq);
    if (kept) return this.contentOf(kept, seq, index);
    const carried = await this.carried?.find({ seq, index }).catch(unlessUnreachable);
    return carried ?? this.contentOf(await this.shared(seq), seq, index);
  }

  /** A view of the commit's bytes. A caller that keeps it for long must copy it. */
  private contentOf(kept: Kept, seq: number, index: number): Uint8Array {
    try {
      return this.decoded(kept, seq, index);
    } catch (error) {
      throw error instanceof RepriseError ? error : unreadable(seq, error);
    }
  }

  private decoded(kept: Kept, seq: number, index: number): Uint8Array {
    const encoded = (kept.encoded ??= new EncodedCommit(kept.bytes));
    if (index >= encoded.eventCount) throw new RangeError(`it has no event ${index}`);
    if (kept.isRead) checkWritten(encoded, seq, index);
    return encoded.content(index) ?? (encoded.leaf(index) ? REMOVED : inBody(encoded, index, this.fields));
  }

  private shared(seq: number): Promise<Kept> {
    const running = this.reads.get(seq);
    if (running) return running;
    const read = this.readCommit(seq).finally(() => this.reads.delete(seq));
    this.reads.set(seq, read);
    return read;
  }

  private async readCommit(seq: number): Promise<Kept> {
    const stored = await this.read(seq);
    if (stored === undefined) {
      const message = `Position ${seq}, which holds a payload, is missing.`;
      throw new RepriseError('JOURNAL_BROKEN', message, { cause: { position: seq } });
    }
    // Before it is kept: bytes that cannot be read must not be found in the cache.
    const kept: Kept = { bytes: stored.bytes, isRead: true, encoded: parsed(stored) };
    this.keep(seq, kept);
    return kept;
  }

  private keep(seq: number, kept: Kept): void {
    if (this.commits.has(seq)) return;
    this.commits.set(seq, kept);
    this.cost += kept.bytes.length + COMMIT_COST;
    for (const [oldest, { bytes }] of this.commits) {
      if (this.cost <= this.maxBytes) return;
      this.commits.delete(oldest);
      this.cost -= bytes.length + COMMIT_COST;
    }
  }

  private touch(seq: number): Kept | undefined {
    const kept = this.commits.get(seq);
    if (kept) {
      this.commits.delete(seq);
      this.commits.set(seq, kept);
    }
    return kept;
  }
}

/** What is carried is a copy: if it is broken, the archive may have the commit. */
function unlessUnreachable(error: unknown): undefined {
  if (error instanceof RepriseError && error.code !== 'SNAPSHOT_BROKEN') throw error;
}

function parsed({ seq, bytes }: Stored): EncodedCommit {
  try {
    return new EncodedCommit(bytes);
  } catch (error) {
    throw unreadable(seq, error);
  }
}

function unreadable(seq: number, error: unknown): RepriseError {
  const message = `The commit at ${seq}, which holds a payload, cannot be read: ${messageOf(error)}.`;
  return new RepriseError('JOURNAL_BROKEN', message, { cause: { position: seq } });
}

/** An absent field is an empty payload, as everywhere in protobuf. */
function inBody(encoded: EncodedCommit, index: number, fieldOf: ContentFields): Uint8Array {
  const { kind, type, body } = decodeLeniently(journal.Event, encoded.event(index) ?? NONE);
  const field = fieldOf(kind, type);
  const content = new Fields(body, 0, body.length);
  return field !== undefined && content.seek(field) ? body.subarray(content.start, content.end) : body.subarray(0, 0);
}

const NONE = new Uint8Array(0);
