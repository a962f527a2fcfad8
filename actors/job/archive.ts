/** Where jobs are read that have left the leader's state. The jobs projection implements it: projections/jobs.ts. */
import type { JobId } from '../../protocols/ids.js';
import type { Job } from './job.js';

export interface Archive {
  /** A job that has ended, in its last state. Of its leases only the worker of the last attempt is known. */
  find(id: JobId): Promise<Readonly<Job> | undefined>;
}
