/**
 * Failed jobs that are kept with the leader after the time in which all ended jobs stay, so that they can be listed,
 * retried and discarded. The oldest leave first, by the order in which they came here: every replay forgets the same.
 */
import type { Job } from './job.js';

/** At most so many. */
export const FAILED = { perQueue: 1_000, perPartition: 50_000 } as const;
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

  /** @returns those that are too many now */
  add(row: number, queue: string): readonly number[] {
    this.rows.add(row);
    let others = this.byQueue.get(queue);
    if (others === undefined) this.byQueue.set(queue, (others = new Set()));
    others.add(row);
    if (others.size > FAILED.perQueue) return firstOf(others);
    return this.rows.size > FAILED.perPartition ? firstOf(this.rows) : [];
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

function firstOf(rows: ReadonlySet<number>): readonly number[] {
  for (const row of rows) return [row];
  return [];
}
