/**
 * How a leader begins: it reads everything, checks that nothing known is missing, and bars every older leader by a
 * LeaderStarted on the tail. The lease only says who should try; the fence decides.
 */
import { RepriseError } from '../protocols/errors.js';
import { journal } from '../protocols/messages.js';
import { Chain, FIRST_VERSION, headOf, READER, sameBytes, type Head } from './chain.js';
import { encodeCommit, encodeEvents, headerAfter, type CommitHeader } from './commit.js';
import type { Appended, Journal } from './journal.js';
import { stuck } from './writable.js';

/** A head that must be in the journal. The hash covers the journal's id, so a head of another journal never fits. */
export interface KnownHead extends Pick<Head, 'seq' | 'hash'> {
  /** From where it is known, for people. */
  readonly from: string;
}

/** What `from` says of a head that leaders wrote down. */
export const WITNESS = 'the witness';

export interface TakeOverOptions {
  readonly known: readonly KnownHead[];
  /** Draws a fresh one at every call: two candidates, or two tries of one, must never write the same bytes. */
  readonly leaderId: () => string;
  /** Draws the journal's id; used only when the journal is empty. */
  readonly journalId: () => string;
  /** Name of the process, for people. */
  readonly broker: string;
  readonly nowMs: () => number;
  readonly onCommit: (commit: journal.Commit, seq: number, bytes: Uint8Array, head: Head) => void | Promise<void>;
  readonly onForeign?: (seq: number, why: string) => void;
  /** How often somebody else may be faster before this one gives up. */
  readonly tries?: number;
}

export type TakenOver =
  | { readonly kind: 'leading'; readonly head: Head; readonly leaderId: string; readonly journal: Journal }
  | { readonly kind: 'deposed'; readonly why: string; readonly journal: Journal };

const TRIES = 5;
/** So many appends in a row without an answer or an effect, over a connection that holds: the server stores nothing. */
const SILENT_TRIES = 2;

/** @param from the journal to read; it is closed and opened anew when an append ends without an answer */
export async function takeOver(from: Journal, options: TakeOverOptions): Promise<TakenOver> {
  const reader = new Reader(from, options);
  try {
    let failed: Failed = { kind: 'fenced', message: '' };
    let silent = 0;
    for (let tries = options.tries ?? TRIES; tries > 0; tries -= 1) {
      if ((await reader.readOn()) > 0) silent = 0;
      if (silent === SILENT_TRIES) throw stuck(from.partition);
      const leaderId = options.leaderId();
      const appended = await reader.start(leaderId);
      if (appended.kind === 'committed') return { kind: 'leading', head: appended.head, leaderId, journal: reader.journal };
      failed = appended;
      silent = failed.kind === 'ambiguous' && failed.silent ? silent + 1 : 0;
    }
    // What made the last try fail is read too, so that the caller has seen every position up to there.
    await reader.readOn();
    if (failed.kind === 'ambiguous') throw new RepriseError('TIMED_OUT', `The journal of partition ${from.partition} acknowledges no new leader: ${failed.message}`);
    return { kind: 'deposed', why: failed.message, journal: reader.journal };
  } catch (error) {
    if (reader.journal !== from) await reader.journal.close();
    throw error;
  }
}

/**
 * Of two clocks the one that is behind: a time that is too late holds the journal there, one that is too early does not
 * (docs/adr/0014). If the server gives no time, our clock is used.
 */
const startMs = (wallMs: number, serverAheadMs: number): number => (serverAheadMs < 0 ? Math.floor(wallMs + serverAheadMs) : wallMs);

/** Somebody else was faster, or nobody knows. */
type Failed = { readonly kind: 'fenced'; readonly message: string } | Extract<Appended, { kind: 'ambiguous' }>;
type Started = { readonly kind: 'committed'; readonly head: Head } | Failed;

class Reader {
  journal: Journal;
  readonly #options: TakeOverOptions;
  readonly #chain: Chain;
  readonly #known = new Map<number, KnownHead[]>();
  /** The stream's last position that was read; a stranger's message may lie there. */
  #lastSeq = 0;
  /** How far the server's clock is ahead of ours. */
  #serverAheadMs = 0;

  constructor(from: Journal, options: TakeOverOptions) {
    this.journal = from;
    this.#options = options;
    this.#chain = new Chain(from.partition);
    for (const head of options.known) if (head.seq > 0) this.#known.set(head.seq, [...(this.#known.get(head.seq) ?? []), head]);
  }

  /** @returns how many positions came in since it was called last */
  async readOn(): Promise<number> {
    const fromSeq = this.#lastSeq;
    const { lastSeq: untilSeq, serverMs } = await this.journal.end();
    this.#serverAheadMs = serverMs - this.#options.nowMs();
    if (untilSeq < this.#lastSeq) throw regressed(`The journal of partition ${this.journal.partition} ends at ${untilSeq}, but position ${this.#lastSeq} was read from it.`, untilSeq + 1);
    for await (const stored of this.journal.replay(this.#lastSeq + 1)) await this.#accept(stored.seq, stored.bytes);
    if (this.#lastSeq < untilSeq) {
      throw new RepriseError('JOURNAL_BROKEN', `Position ${this.#lastSeq + 1} of partition ${this.journal.partition} is missing: the stream says that it ends at ${untilSeq}.`, { cause: { position: this.#lastSeq + 1 } });
    }
    this.#checkKnown();
    return this.#lastSeq - fromSeq;
  }

  async start(leaderId: string): Promise<Started> {
    const { bytes, commit } = this.#leaderStarted(leaderId, startMs(this.#options.nowMs(), this.#serverAheadMs));
    const appended = await this.journal.append(bytes, this.#lastSeq);
    if (appended.kind === 'committed') {
      const head = headOf(commit, this.journal.partition, appended.seq, bytes);
      await this.#options.onCommit(journal.Commit.decode(bytes), appended.seq, bytes, head);
      return { kind: 'committed', head };
    }
    if (appended.kind === 'ambiguous') {
      this.journal = await this.journal.reopen();
      return appended;
    }
    if (appended.why !== 'fenced') {
      throw new RepriseError(appended.why === 'full' ? 'JOURNAL_FULL' : 'SERVER_FAILED', `The journal of partition ${this.journal.partition} refuses a new leader: ${appended.message}.`);
    }
    return { kind: 'fenced', message: appended.message };
  }

  async #accept(seq: number, bytes: Uint8Array): Promise<void> {
    const accepted = this.#chain.accept({ seq, bytes });
    this.#lastSeq = seq;
    if (accepted.kind === 'foreign') return this.#options.onForeign?.(seq, accepted.why);
    const head = this.#chain.head;
    if (head === undefined) return;
    for (const known of this.#known.get(seq) ?? []) {
      if (!sameBytes(known.hash, head.hash)) throw regressed(`The journal of partition ${head.partition} holds another commit at ${seq} than ${known.from} knows.`, seq);
    }
    this.#known.delete(seq);
    // Awaited only when there is something to wait for: most folds are synchronous, and this runs for every commit.
    const folded = this.#options.onCommit(accepted.commit, seq, bytes, head);
    if (folded) await folded;
  }

  #checkKnown(): void {
    const [missing] = [...this.#known.values()].flat().sort((a, b) => a.seq - b.seq);
    if (missing === undefined) return;
    throw regressed(`The journal of partition ${this.journal.partition} lacks the commit at ${missing.seq}, which ${missing.from} knows; its last commit is at ${this.#chain.head?.seq ?? 0}.`, missing.seq);
  }

  /**
   * In the first version of the envelope: a reader of version 1 skips a commit of version 2 as a stranger's, but halts at
   * one of its own version that asks for a newer reader. Every leadership begins with this commit, and it has no content.
   */
  #leaderStarted(leaderId: string, wall: number): { bytes: Uint8Array; commit: CommitHeader } {
    const epoch = (this.#chain.head?.epoch ?? 0) + 1;
    const { partition } = this.journal;
    const after: Omit<CommitHeader, 'version'> = this.#chain.head
      ? headerAfter(this.#chain.head, { leaderId, epoch }, wall)
      : { journalId: this.#options.journalId(), partition, epoch, leaderId, prevSeq: 0, prevHash: new Uint8Array(0), nowMs: wall, minReader: READER };
    const commit = { ...after, version: FIRST_VERSION };
    const body = journal.LeaderStarted.encode({ status: 'led', epoch, leaderId, broker: this.#options.broker }).finish();
    const cause = { commandId: '', type: 'TakeOver', by: this.#options.broker, verified: false };
    const event = { kind: 'partition', id: String(partition), type: 'LeaderStarted', version: 1, cause, body };
    return { bytes: encodeCommit(commit, encodeEvents([journal.Event.encode(event).finish()])), commit };
  }
}

const regressed = (message: string, position: number): RepriseError => new RepriseError('JOURNAL_REGRESSED', message, { cause: { position } });
