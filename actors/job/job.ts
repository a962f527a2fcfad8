/** A job in the state of a partition: plain data, without payloads, which are read by position. */
import type { At } from '../kind.js';
import type { ContentRef } from '../../streams/content.js';
import type { JobId, Session, WorkerId } from '../../protocols/ids.js';

export const LIVE_STATUSES = ['ready', 'scheduled', 'running', 'retrying'] as const;
export const FINAL_STATUSES = ['completed', 'failed', 'cancelled', 'expired', 'discarded', 'unworkable'] as const;
export const JOB_STATUSES = [...LIVE_STATUSES, ...FINAL_STATUSES] as const;
export type LiveStatus = (typeof LIVE_STATUSES)[number];
export type FinalStatus = (typeof FINAL_STATUSES)[number];
export type JobStatus = LiveStatus | FinalStatus;

/** How a job is retried and timed, with every default filled in. */
export interface Policy {
  readonly maxAttempts: number;
  readonly backoffInitialMs: number;
  readonly backoffFactor: number;
  readonly backoffMaxMs: number;
  readonly backoffJitter: number;
  readonly nonRetryable: readonly string[];
  /** 0: no limit. */
  readonly attemptMs: number;
  /** The lease: how long a worker may be silent. */
  readonly heartbeatMs: number;
  /** As many lost leases end the job. Absent in jobs of before 0.4.0: a lost lease counts as an attempt. */
  readonly maxCrashes: number | undefined;
  /** The waits between attempts, instead of initial, factor and max; never empty. */
  readonly backoffListMs: readonly number[] | undefined;
}

export interface Failure {
  readonly code: string;
  readonly message: string;
  /** Goes into the journal, not into the state. */
  readonly stack?: string;
}

/** Where bytes are stored in the journal: event `index` of commit `seq`. */
export interface BytesRef {
  readonly seq: number;
  readonly index: number;
  /** Empty means application/json. */
  readonly contentType: string;
}

/** A payload or a result: what it is, by hash and size, and where its bytes are stored. */
export interface StoredBytes extends BytesRef, ContentRef {}

/** The content of the event at a position. */
export const storedBytes = (contentType: string, { seq, index, content }: At): StoredBytes =>
  ({ seq, index, contentType, hash: content?.hash ?? '', size: content?.size ?? 0 });

/** The text of a failure or a reason, and its hash and size, which remain if the text is removed. */
export interface StoredText {
  readonly text: string;
  /** undefined: empty. */
  readonly content: ContentRef | undefined;
}

export interface StoredFailure {
  readonly code: string;
  readonly message: string;
  /** Of message and stack. */
  readonly content: ContentRef | undefined;
}

export interface Retried {
  /** How often. */
  readonly generation: number;
  /** How many attempts came before: its policy allows as many as ever behind them. */
  readonly attempts: number;
  /** Of the last retry. */
  readonly atMs: number;
}

export interface Job {
  readonly id: JobId;
  readonly type: string;
  readonly queue: string;
  priority: number;
  /** Empty: none. */
  readonly key: string;
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** What a worker must be able to do, as canonical JSON. */
  readonly require: string | undefined;
  /** Of the workers that wait, those that match get it. As canonical JSON. */
  readonly prefer: string | undefined;
  readonly policy: Policy;
  /** Its number among the jobs of its partition, in the order of submission. With the priority it orders the line. */
  readonly place: number;
  readonly submittedMs: number;
  /** 0: never. */
  totalDueMs: number;
  payload: StoredBytes;
  /** Of the commit with its submission. */
  readonly firstSeq: number;
  status: JobStatus;
  /** Expires then, because it has not started by now; undefined: never, or it has started. */
  startDueMs: number | undefined;
  /** Leases that were lost and did not count as attempts; undefined: none. */
  crashes: number | undefined;
  /** Attempts that workers handed back when they stopped; undefined: none. */
  returns: number | undefined;
  /** Of the running or the latest attempt; 0 before the first. */
  attempt: number;
  lease: number;
  workerId: WorkerId | '';
  session: Session | '';
  pullSeq: number;
  /** When scheduled or retrying: when it becomes ready. Otherwise 0. */
  dueMs: number;
  attemptDueMs: number;
  /** Whether a report ended the latest attempt. That report gets the same reply when it is sent again. */
  reported: boolean;
  cancelling: boolean;
  cancelReason: StoredText | undefined;
  failure: StoredFailure | undefined;
  result: StoredBytes | undefined;
  endedMs: number;
  /** It has failed, and is kept on when others leave, as one of the last so many of its queue. */
  kept: number | undefined;
  /** undefined: it was never retried after it had ended. */
  retried: Retried | undefined;
  /** Of the commit with its latest event. */
  lastSeq: number;
}

const LIVE: ReadonlySet<string> = new Set(LIVE_STATUSES);
export const isLive = (status: JobStatus): status is LiveStatus => LIVE.has(status);
type Uncounted = Readonly<Pick<Job, 'crashes' | 'returns' | 'retried'>>;

/** Attempts that do not count: those lost or handed back, and all before the last retry. Their numbers are used up. */
export const uncounted = ({ crashes = 0, returns = 0, retried }: Uncounted): number =>
  crashes + returns + (retried?.attempts ?? 0);

/** The number of the last attempt that is allowed by now. */
export const attemptsOf = (job: Uncounted & Pick<Job, 'policy'>): number => job.policy.maxAttempts + uncounted(job);

export const isRunning = (job: Readonly<Job>): boolean => job.status === 'running';
