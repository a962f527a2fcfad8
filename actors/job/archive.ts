/** What a leader asks of the jobs that have left it. The jobs projection answers; see projections/jobs.ts. */
import type { JobId } from '../../protocols/ids.js';
import type { BytesRef, Failure, FinalStatus } from './job.js';

export interface ArchivedJob {
  readonly id: JobId;
  readonly type: string;
  readonly queue: string;
  readonly key: string;
  readonly priority: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly maxAttempts: number;
  readonly submittedMs: number;
  readonly firstSeq: number;
  readonly status: FinalStatus;
  readonly attempt: number;
  readonly workerId: string;
  readonly endedMs: number;
  readonly lastSeq: number;
  readonly result: BytesRef | undefined;
  readonly failure: Failure | undefined;
}

export interface Archive {
  find(id: JobId): Promise<ArchivedJob | undefined>;
}
