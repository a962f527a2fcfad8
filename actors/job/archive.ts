/** What a leader asks of the jobs that have left it. The jobs projection answers; see projections/jobs.ts. */
import type { JobId } from '../../protocols/ids.js';
import type { Job } from './job.js';

export interface Archive {
  /** A job that has ended, as its leader held it last; of its leases only the worker of the last attempt is known. */
  find(id: JobId): Promise<Readonly<Job> | undefined>;
}
