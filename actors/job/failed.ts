/**
 * Failed jobs that are kept with the leader after the time in which all ended jobs stay, so that they can be listed,
 * retried and discarded. The oldest leave first, by the order in which they came here: every replay forgets the same.
 */
import type { Job } from './job.js';

/** Of a partition, at most. */
export const FAILED_OF_PARTITION = 50_000;
/** Of a failure's text, in characters: the whole text is in the journal. */
const MESSAGE = 256;

export class FailedJobs implements Iterable<number> {
  /** Rows, the oldest first. */
  private readonly rows = new Set<number>();
  private readonly byQueue = new Map<string, Set<number>>();

  get size(): number {
    return this.rows.size;
  }

  [Symbol.iterator](): Iterator<number> {
    return this.rows.values();
  }

  /** @param most of its queue @returns those that are too many now, the oldest first */
  add(row: number, queue: string, most: number): readonly number[] {
    this.rows.add(row);
    let others = this.byQueue.get(queue);
    if (others === undefined) this.byQueue.set(queue, (others = new Set()));
    others.add(row);
    if (others.size > most) return firstOf(others, others.size - most);
    return this.rows.size > FAILED_OF_PARTITION ? firstOf(this.rows, 1) : [];
  }

  /** @returns whether it was there */
  delete(row: number, queue: string): boolean {
    if (!this.rows.delete(row)) return false;
    const others = this.byQueue.get(queue)!;
    others.delete(row);
    if (others.size === 0) this.byQueue.delete(queue);
    return true;
  }
}

export function shortened(job: Job): void {
  const { failure } = job;
  if (failure === undefined || failure.message.length <= MESSAGE) return;
  job.failure = { ...failure, message: `${cut(failure.message)}…` };
}

/** Not within a surrogate pair. */
const cut = (text: string): string => text.slice(0, MESSAGE).replace(/[\ud800-\udbff]$/, '');

function firstOf(rows: ReadonlySet<number>, count: number): readonly number[] {
  const first: number[] = [];
  for (const row of rows) {
    if (first.length === count) break;
    first.push(row);
  }
  return first;
}
