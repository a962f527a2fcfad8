/**
 * Which partition is offered how many of the process's free slots. Pure. A slot is in one place only: performing, or
 * offered in one open pull. Partitions that last had more work than they were offered ("hungry") share what is free;
 * every other one keeps a slot, so that new work anywhere is found. Where there are fewer slots than partitions they go
 * round, from `turn` on.
 */
export interface Offered {
  /** Slots in the open pull; undefined where none is open. */
  readonly open: number | undefined;
  readonly hungry: boolean;
  /** Whether a request may be sent now: not while backing off. */
  readonly ready: boolean;
  /** A request is going to be sent anyway, because there is something to report. */
  readonly sending: boolean;
}

export interface Allotment {
  /** By partition: slots to offer in addition to those of an open pull. */
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

/** The hungry ones; when nobody is, those that a request goes to now. */
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
