/**
 * The batches of a core: one is open, the others are closed and not taken yet. A decision makes room, so that it is in
 * one commit as a whole.
 */
import type { Effect } from '../../actors/effect.js';
import type { ActorEvent, EventType } from '../../actors/kind.js';
import type { Cause, Taken } from '../../actors/step.js';
import type { ContentRef, Salts } from '../../streams/content.js';
import { Batch, EventWriter, roomBytes } from './batch.js';
import { foldBarrier, PARTITION } from './fold.js';
import { beginCommit, type PartitionState } from './state.js';
import { BARRIER_EVENTS, type BarrierEvent, type Barriers } from './version-barrier.js';

export class Batches {
  /** How many events and replies were decided so far. */
  changes = 0;
  /** Not taken yet. */
  pendingEvents = 0;
  /** Of the batch that has events and is open; there is one at most. */
  private readonly writer: EventWriter;
  private readonly sealed: Batch[] = [];
  private open: Batch | undefined;
  /** The one that got its sequence last. */
  private begun: Batch | undefined;
  /** Events that the decision may still make. */
  private room = 0;
  /** What the open batch may grow to by the decision. */
  private roomUpTo = 0;

  constructor(
    private readonly state: PartitionState,
    private readonly barriers: Barriers,
    private readonly maxBytes: number,
    salts: Salts,
  ) {
    this.writer = new EventWriter(salts);
  }

  /** Of the batch that has events. */
  get openMs(): number | undefined {
    return this.open?.events.length ? this.open.nowMs : undefined;
  }

  get effects(): Effect[] {
    this.changes += 1;
    return (this.open ??= this.newBatch()).effects;
  }

  get isEmpty(): boolean {
    return this.sealed.length === 0;
  }

  /** A decision begins, which has made no room yet. */
  next(): void {
    this.room = 0;
  }

  makeRoom(bytes: number, events: number): void {
    const withBarriers = events + this.barriers.ahead(this.state.versionBarrier);
    if (this.open?.hasRoom(bytes, withBarriers) === false) this.seal();
    this.room = events;
    this.roomUpTo = Math.min(this.writer.size + roomBytes(bytes, withBarriers), this.maxBytes);
  }

  /** A batch gets its sequence and its time with its first event. Until then it has replies only. */
  begin(wallMs: number): Batch {
    const open = (this.open ??= this.newBatch());
    if (open.events.length > 0) return open;
    const nowMs = Math.max(this.state.nowMs, wallMs);
    const begun = new Batch(this.state.seq + 1, nowMs, this.maxBytes, this.writer);
    begun.effects.push(...open.effects);
    beginCommit(this.state, begun.seq, begun.nowMs);
    this.open = begun;
    this.begun = begun;
    return begun;
  }

  /**
   * Writes an event. The first one that older readers cannot read is preceded by a barrier, for which
   * {@link makeRoom} left room.
   * @param batch from {@link begin}
   */
  add(
    batch: Batch, kind: string, id: string, { type, body }: ActorEvent, of: EventType, cause: Cause, taken?: Taken,
  ): ContentRef | undefined {
    if (this.room === 0) throw new TypeError('a decision made more events than it made room for');
    this.room -= 1;
    this.pendingEvents += 1;
    this.changes += 1;
    const barrier = this.barriers.before(of, body, this.state.versionBarrier);
    if (barrier) this.raise(barrier, batch, cause);
    const content = batch.add(kind, id, type, cause, of, body, taken);
    this.checkBytes();
    return content;
  }

  /** A batch that was begun for an event that was not made is begun again by the next. */
  takeBack(): void {
    const { open } = this;
    if (open === undefined || open !== this.begun || open.events.length > 0) return;
    this.begun = undefined;
    this.state.seq -= 1;
  }

  /** Ends the open commit, if it has events: the state is then the one at the end of the last commit. */
  endCommit(): void {
    if (this.open && this.open.events.length > 0) this.seal();
  }

  seal(): void {
    if (this.open === undefined) return;
    this.open.close();
    this.sealed.push(this.open);
    this.open = undefined;
  }

  take(): Batch | undefined {
    const batch = this.sealed.shift();
    if (batch) this.pendingEvents -= batch.events.length;
    return batch;
  }

  /** All that were not taken. */
  abandon(): Batch[] {
    return [...this.sealed.splice(0), ...(this.open ? [this.open] : [])];
  }

  private raise(barrier: BarrierEvent, batch: Batch, cause: Cause): void {
    const { type, body } = barrier;
    this.pendingEvents += 1;
    batch.neededReader = body.reader;
    batch.add(PARTITION, String(this.state.partition), type, cause, BARRIER_EVENTS[type], body);
    this.checkBytes();
    foldBarrier(this.state, barrier);
  }

  /** Before the fold, so that a commit that the journal cannot take is never waited for. */
  private checkBytes(): void {
    if (this.writer.size <= this.roomUpTo) return;
    throw new TypeError(`a decision wrote ${this.writer.size - this.roomUpTo} bytes more than it made room for`);
  }

  private newBatch(): Batch {
    return new Batch(this.state.seq, this.state.nowMs, this.maxBytes, this.writer);
  }
}
