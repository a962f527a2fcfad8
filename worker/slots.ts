/**
 * Divides the free slots of the process among partitions. Pure. A slot is in one place only: performing, or offered in
 * one open pull. Partitions whose last pull returned as many leases as it offered slots ("hungry") share the free
 * slots; every other partition is offered one, so that new work is found anywhere. With fewer slots than partitions,
 * partitions take turns, from `turn` on.
 */
export interface Offered {
  /** Slots in the open pull; undefined without one. */
  readonly open: number | undefined;
  readonly hungry: boolean;
  /** Whether a request may be sent now: not while backing off. */
  readonly ready: boolean;
  /** A request is about to be sent anyway, because there are reports. */
  readonly sending: boolean;
}

export interface Allotment {
  /** By partition: slots to offer on top of those of its open pull. */
  readonly extra: readonly number[];
  readonly turn: number;
}

export function allot(capacity: number, busy: number, partitions: readonly Offered[], turn: number): Allotment {
  const count = partitions.length;
  const extra = new Array<number>(count).fill(0);
  let free = capacity - busy;
  for (const { open = 0 } of partitions) free -= open;
  let next = turn;
  for (let step = 0; step < count && free > 0; step += 1) {
    const index = (turn + step) % count;
    const { open, ready } = partitions[index]!;
    if (!ready || open !== undefined) continue;
    extra[index] = 1;
    free -= 1;
    next = (index + 1) % count;
  }
  const sharers = sharing(partitions, extra);
  for (let i = 0; i < sharers.length && free > 0; i += 1) {
    const share = Math.ceil(free / (sharers.length - i));
    extra[sharers[i]!]! += share;
    free -= share;
  }
  return { extra, turn: next };
}

/** The hungry partitions; if there is none, those that a request is about to be sent to. */
function sharing(partitions: readonly Offered[], extra: readonly number[]): number[] {
  const hungry: number[] = [];
  const sent: number[] = [];
  for (const [index, { hungry: wants, ready, sending }] of partitions.entries()) {
    if (!ready) continue;
    if (wants) hungry.push(index);
    if (sending || extra[index]! > 0) sent.push(index);
  }
  return hungry.length > 0 ? hungry : sent;
}
