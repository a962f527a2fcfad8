/**
 * The jobs that have ended, in the order of their ends. They leave after a while; failed ones are kept on then. All by
 * the time and the order of the commits, so that every replay forgets the same.
 */
import type { JobId } from '../../protocols/ids.js';
import { listIn, listPart, type Part, type PartBytes } from '../rows/parts.js';
import { FailedJobs, shortened } from './failed.js';
import type { JobTable } from './job-row.js';

const ENDED = {
  /** At most as many stay, however young. */
  jobs: 5_000,
  ms: 60_000,
} as const;
const [ALL, FAILED] = ['ended', 'failed'];

export interface EndedView {
  readonly ended: [JobId, number][];
  /** Absent if there are none, so that views of older journals stay equal. */
  readonly failed?: JobId[];
}

export class EndedJobs {
  /** Rows, oldest first; those before `head` have left. */
  private rows: number[] = [];
  private head = 0;
  private readonly failed = new FailedJobs();

  constructor(private readonly table: JobTable) {}

  push(row: number): void {
    this.rows.push(row);
  }

  /** A job that is taken back, discarded, or set aside. */
  delete(row: number): void {
    if (this.failed.delete(row, this.queueOf(row))) return;
    const at = this.rows.indexOf(row, this.head);
    if (at >= 0) this.rows.splice(at, 1);
  }

  /** The rows that leave now. They must be removed before the next is asked for. */
  *leaving(nowMs: number): Generator<number> {
    const { rows, table } = this;
    while (this.head < rows.length) {
      const row = rows[this.head]!;
      const isFew = rows.length - this.head <= ENDED.jobs;
      if (isFew && table.at(row).endedMs + ENDED.ms >= nowMs) break;
      this.head += 1;
      const { kept } = table.at(row);
      if (kept !== undefined) yield* this.keep(row, kept);
      else yield row;
    }
    if (this.head > ENDED.jobs) {
      rows.splice(0, this.head);
      this.head = 0;
    }
  }

  freeze(): Part[] {
    const parts = [listPart(ALL, this.rows.slice(this.head))];
    if (this.failed.size > 0) parts.push(listPart(FAILED, [...this.failed]));
    return parts;
  }

  /** When the rows are there. */
  thaw(parts: PartBytes): void {
    this.restore(listIn(parts, ALL), parts.has(FAILED) ? listIn<number[]>(parts, FAILED) : []);
  }

  view(): EndedView {
    const ended = this.rows.slice(this.head).map((row): [JobId, number] => {
      const { id, endedMs } = this.table.at(row);
      return [id, endedMs];
    });
    const failed = [...this.failed].map((row) => this.table.at(row).id);
    return { ended, ...(failed.length > 0 && { failed }) };
  }

  restore(rows: number[], failed: readonly number[]): void {
    this.rows = rows;
    for (const row of failed) this.failed.add(row, this.queueOf(row), Infinity);
  }

  private *keep(row: number, most: number): Generator<number> {
    shortened(this.table.at(row));
    for (const oldest of this.failed.add(row, this.queueOf(row), most)) {
      this.failed.delete(oldest, this.queueOf(oldest));
      yield oldest;
    }
  }

  private queueOf(row: number): string {
    return this.table.at(row).queue;
  }
}
