/** The running jobs of each session, by their rows. */
import type { JobTable } from './job-row.js';
import type { Job } from './job.js';

/** The running jobs of a session. */
export interface Leases<J = Readonly<Job>> extends Iterable<J> {
  readonly size: number;
}

export class RowsOfSession implements Leases<Job> {
  readonly rows = new Set<number>();

  constructor(private readonly table: JobTable) {}

  get size(): number {
    return this.rows.size;
  }

  *[Symbol.iterator](): Generator<Job> {
    for (const row of this.rows) yield this.table.at(row);
  }
}
