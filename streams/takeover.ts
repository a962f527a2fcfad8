/**
 * Take-over: a new leader reads the whole journal, checks that it contains every known head, and appends a
 * LeaderStarted, which fences off every older leader. The leadership lease only limits which broker tries; the fence
 * decides.
 */
import { RepriseError } from '../protocols/errors.js';
import { journal } from '../protocols/messages.js';
import { tryRead } from '../protocols/try-read.js';
import { Chain, FIRST_VERSION, headOf, sameBytes, type Head } from './chain.js';
import { encodeCommit, encodeEvents, headerAfter, type CommitHeader } from './commit.js';
import { commitHash } from './contents.js';
import type { Appended, Journal } from './journal.js';
import { stuck } from './writable.js';

/** A head that must be in the journal. The hash covers the journal's id, so a head of another journal never fits. */
export interface KnownHead extends Pick<Head, 'seq' | 'hash'> {
  /** Where it was kept, for messages. */
  readonly from: string;
}

/** `from` of a head in the witness. */
export const WITNESS = 'the witness';

export interface TakeOverOptions {
  readonly known: readonly KnownHead[];
  /** Where reading begins: the head of a snapshot. Without it, at the beginning of the journal. */
  readonly begin?: Head | undefined;
  /** A new random id at every call: no two tries, of one broker or two, may write the same bytes. */
  readonly leaderId: () => string;
  /** A random id for the journal. Used only when the journal is empty. */
  readonly journalId: () => string;
  /** Name of the process, for messages and the record. */
  readonly broker: string;
  readonly nowMs: () => number;
  readonly onCommit: (commit: journal.Commit, seq: number, bytes: Uint8Array, head: Head) => void | Promise<void>;
  readonly onForeign?: (seq: number, why: string) => void;
  /** How often the append may fail before this broker gives up. */
  readonly tries?: number;
}

export type TakenOver =
  | { readonly kind: 'leading'; readonly head: Head; readonly leaderId: string; readonly journal: Journal }
  | { readonly kind: 'deposed'; readonly why: string; readonly journal: Journal };

const TRIES = 5;
/**
 * After so many consecutive appends without an acknowledgement or an effect, over a connection that stays up, the
 * server is taken to store nothing.
 */
const SILENT_TRIES = 2;

/** @param from the journal to read; it is closed and reopened when an append is not acknowledged */
export async function takeOver(from: Journal, options: TakeOverOptions): Promise<TakenOver> {
  const reader = new Reader(from, options);
  try {
    await reader.checkEarlier();
    let failed: Failed = { kind: 'fenced', message: '' };
    let silent = 0;
    for (let tries = options.tries ?? TRIES; tries > 0; tries -= 1) {
      if ((await reader.readOn()) > 0) silent = 0;
      if (silent === SILENT_TRIES) throw stuck(from.partition);
      const leaderId = options.leaderId();
      const appended = await reader.start(leaderId);
      if (appended.kind === 'committed') {
        return { kind: 'leading', head: appended.head, leaderId, journal: reader.journal };
      }
      failed = appended;
      silent = failed.kind === 'ambiguous' && failed.silent ? silent + 1 : 0;
    }
    // The commit that made the last try fail is read too, so that the caller has seen every position up to it.
    await reader.readOn();
    if (failed.kind === 'ambiguous') {
      const message = `The journal of partition ${from.partition} acknowledges no new leader: ${failed.message}`;
      throw new RepriseError('TIMED_OUT', message);
    }
    return { kind: 'deposed', why: failed.message, journal: reader.journal };
  } catch (error) {
    if (reader.journal !== from) await reader.journal.close();
    throw error;
  }
}

/**
 * The earlier of this machine's clock and the server's: a time that is too late would hold the journal there, one that
 * is too early does not (docs/adr/0014). If the server gives no time, this machine's clock is used.
 */
const startMs = (wallMs: number, serverAheadMs: number): number =>
  serverAheadMs < 0 ? Math.floor(wallMs + serverAheadMs) : wallMs;

/** Another broker appended first, or the outcome is unknown. */
type Failed = { readonly kind: 'fenced'; readonly message: string } | Extract<Appended, { kind: 'ambiguous' }>;
type Started = { readonly kind: 'committed'; readonly head: Head } | Failed;

class Reader {
  journal: Journal;
  private readonly chain: Chain;
  private readonly known = new Map<number, KnownHead[]>();
  /** The last position of the stream that was read. It may hold a foreign message. */
  private lastSeq = 0;
  /** How far the server's clock is ahead of this machine's. */
  private serverAheadMs = 0;

  constructor(
    from: Journal,
    private readonly options: TakeOverOptions,
  ) {
    const { begin, known } = options;
    this.journal = from;
    this.chain = new Chain(from.partition, begin);
    this.lastSeq = begin?.seq ?? 0;
    for (const head of known) {
      if (head.seq > this.lastSeq) this.known.set(head.seq, [...(this.known.get(head.seq) ?? []), head]);
    }
  }

  /**
   * Of the known heads that are not after the beginning the newest of each source is read; the others are ancestors of
   * these. Where the journal is truncated, it is read in the archive. If that cannot be reached, the snapshot alone
   * vouches for what is before it.
   */
  async checkEarlier(): Promise<void> {
    const { begin, known } = this.options;
    if (begin === undefined) return;
    const { firstSeq, lastSeq } = await this.journal.end();
    for (const head of newestUpTo(begin.seq, known)) {
      if (head.seq > lastSeq) throw lacks(this.journal.partition, head, lastSeq);
      const stored = await this.journal.read(head.seq).catch(unlessUnreachable);
      if (stored === undefined && head.seq < firstSeq) continue;
      const hash = stored && tryRead(() => commitHash(stored.bytes));
      if (hash === undefined || !sameBytes(hash, head.hash)) throw differs(this.journal.partition, head);
    }
    if (lastSeq >= begin.seq) return;
    throw lacks(this.journal.partition, { ...begin, from: 'the beginning of this fold' }, lastSeq);
  }

  /** @returns how many positions were read */
  async readOn(): Promise<number> {
    const fromSeq = this.lastSeq;
    const { partition } = this.journal;
    const { lastSeq: untilSeq, serverMs } = await this.journal.end();
    this.serverAheadMs = serverMs - this.options.nowMs();
    if (untilSeq < this.lastSeq) {
      const ends = `The journal of partition ${partition} ends at ${untilSeq}`;
      throw regressed(`${ends}, but position ${this.lastSeq} was read from it.`, untilSeq + 1);
    }
    for await (const stored of this.journal.replay(this.lastSeq + 1)) await this.accept(stored.seq, stored.bytes);
    if (this.lastSeq < untilSeq) {
      const position = this.lastSeq + 1;
      const message = `Position ${position} of partition ${partition} is missing: the stream's end is ${untilSeq}.`;
      throw new RepriseError('JOURNAL_BROKEN', message, { cause: { position } });
    }
    this.checkKnown();
    return this.lastSeq - fromSeq;
  }

  async start(leaderId: string): Promise<Started> {
    const { bytes, commit } = this.leaderStarted(leaderId, startMs(this.options.nowMs(), this.serverAheadMs));
    const appended = await this.journal.append(bytes, this.lastSeq);
    if (appended.kind === 'committed') {
      const head = headOf(commit, this.journal.partition, appended.seq, bytes);
      await this.options.onCommit(journal.Commit.decode(bytes), appended.seq, bytes, head);
      return { kind: 'committed', head };
    }
    if (appended.kind === 'ambiguous') {
      this.journal = await this.journal.reopen();
      return appended;
    }
    if (appended.why !== 'fenced') {
      const message = `The journal of partition ${this.journal.partition} refuses a new leader: ${appended.message}.`;
      throw new RepriseError(appended.why === 'full' ? 'JOURNAL_FULL' : 'SERVER_FAILED', message);
    }
    return { kind: 'fenced', message: appended.message };
  }

  private async accept(seq: number, bytes: Uint8Array): Promise<void> {
    const accepted = this.chain.accept({ seq, bytes });
    this.lastSeq = seq;
    if (accepted.kind === 'foreign') return this.options.onForeign?.(seq, accepted.why);
    const head = this.chain.head;
    if (head === undefined) return;
    for (const known of this.known.get(seq) ?? []) {
      if (!sameBytes(known.hash, head.hash)) throw differs(head.partition, known);
    }
    this.known.delete(seq);
    // Awaited only if it is a promise: most folds are synchronous, and this runs for every commit.
    const folded = this.options.onCommit(accepted.commit, seq, bytes, head);
    if (folded) await folded;
  }

  private checkKnown(): void {
    const [missing] = [...this.known.values()].flat().sort((a, b) => a.seq - b.seq);
    if (missing === undefined) return;
    throw lacks(this.journal.partition, missing, this.chain.head?.seq ?? 0);
  }

  /**
   * In the first version of the envelope: a reader of version 1 skips a commit of version 2 as a foreign message, but
   * halts at one of version 1 with a higher `minReader`. Every epoch begins with this commit, and it has no content.
   * What it needs is what the commit before needs: a newer broker that has written nothing new locks nobody out.
   */
  private leaderStarted(leaderId: string, wall: number): { bytes: Uint8Array; commit: CommitHeader } {
    const epoch = (this.chain.head?.epoch ?? 0) + 1;
    const { partition } = this.journal;
    const before = this.chain.head ?? {
      journalId: this.options.journalId(), partition, seq: 0, hash: new Uint8Array(0), epoch: 0, nowMs: 0,
      minReader: 0,
    };
    const commit = { ...headerAfter(before, { leaderId, epoch }, wall), version: FIRST_VERSION };
    const body = journal.LeaderStarted.encode({ status: 'led', epoch, leaderId, broker: this.options.broker }).finish();
    const cause = { commandId: '', type: 'TakeOver', by: this.options.broker, verified: false };
    const event = { kind: 'partition', id: String(partition), type: 'LeaderStarted', version: 1, cause, body };
    return { bytes: encodeCommit(commit, encodeEvents([journal.Event.encode(event).finish()])), commit };
  }
}

function newestUpTo(seq: number, known: readonly KnownHead[]): Iterable<KnownHead> {
  const newest = new Map<string, KnownHead>();
  for (const head of known) {
    if (head.seq > 0 && head.seq <= seq && head.seq > (newest.get(head.from)?.seq ?? 0)) newest.set(head.from, head);
  }
  return newest.values();
}

function unlessUnreachable(error: unknown): undefined {
  if (error instanceof RepriseError && error.code === 'ARCHIVE_UNREACHABLE') return undefined;
  throw error;
}

function lacks(partition: number, { seq, from }: KnownHead, lastSeq: number): RepriseError {
  const message = `The journal of partition ${partition} lacks the commit at ${seq}, which ${from} knows`;
  return regressed(`${message}; its last commit is at ${lastSeq}.`, seq);
}

const differs = (partition: number, { seq, from }: KnownHead): RepriseError =>
  regressed(`The journal of partition ${partition} holds another commit at ${seq} than ${from} knows.`, seq);

const regressed = (message: string, position: number): RepriseError =>
  new RepriseError('JOURNAL_REGRESSED', message, { cause: { position } });
