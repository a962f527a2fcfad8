/**
 * Actors that are set aside: their stored events cannot be folded. Each leaves the state and its indexes alone, so it
 * has no timers and no leases, and the partition goes on without it until it is repaired.
 */
import { reject, type Rejection } from '../../protocols/errors.js';

/** The event may not follow, cannot be decoded, or cannot be applied; or decisions about the actor fail: recorded. */
export type AsideReason = 'chart' | 'body' | 'apply' | 'decision';

export interface AsideActor {
  readonly kind: string;
  readonly id: string;
  readonly reason: AsideReason;
  /** The event that was the first not to be folded: its position, its type, and the time of its commit. */
  readonly seq: number;
  readonly index: number;
  readonly type: string;
  readonly sinceMs: number;
  /** Of the actor before it; `absent` if it was its first. */
  readonly status: string;
  /** How many of its events followed. They are not folded. */
  readonly skipped: number;
  /** For a decision: why it could not be made. */
  readonly detail: string;
}

/** An actor as it was taken out of its store, through JSON and back. */
export interface Kept {
  /** Its canonical view, and where its content is. */
  readonly view: object;
  readonly places: object;
}

const WHY: Readonly<Record<AsideReason, string>> = {
  chart: 'does not follow from its status',
  body: 'has a body that cannot be decoded',
  apply: 'cannot be applied',
  decision: 'recorded that its decisions fail',
};

/** For people. Made of what is in the state, so every replay says the same. */
export function whyAside({ seq, index, type, status, reason, detail }: Omit<AsideActor, 'skipped'>): string {
  const more = detail === '' ? '' : `: ${detail}`;
  return `${type} at ${seq}.${index} ${WHY[reason]} (${status})${more}`;
}

export const refuseAside = (aside: AsideActor): Rejection =>
  reject('SET_ASIDE', `${aside.kind} ${aside.id} is set aside: ${whyAside(aside)}`);

/** What steps may read of them. In the order in which they were set aside. */
export interface AsideReading extends Iterable<AsideActor> {
  readonly size: number;
  get(kind: string, id: string): AsideActor | undefined;
  /** The actor as it was before; undefined if it can only be dropped. */
  kept(kind: string, id: string): Kept | undefined;
}

/** How an actor is repaired. */
export interface Repair {
  readonly kind: string;
  readonly id: string;
  /** The status that it is taken back with; empty: it is dropped, and may begin anew. */
  readonly as: string;
  /** For people. */
  readonly reason: string;
}
