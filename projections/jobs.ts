/**
 * The jobs projection: where every job's first and latest events lie, and its status. It answers for the jobs that have
 * left their leader; what it says of them is read from the journal itself, so nothing is kept twice.
 */
import type { Archive, ArchivedJob } from '../actors/partition/archive.js';
import { decodeJobEvent, isJobEventType, type JobEvent } from '../actors/job/job.events.js';
import { FINAL_STATUSES, LIVE_STATUSES, type FinalStatus, type JobStatus } from '../actors/job/job.js';
import { jobChart } from '../actors/job/job.chart.js';
import { journal } from '../protocols/messages.js';
import type { JobId } from '../protocols/ids.js';
import { IndexTable } from './index-table.js';
import type { EncodedEvent } from '../actors/partition/batch.js';
import type { Committed } from '../actors/partition/committed.js';
import type { Projection } from './projection.js';

const STATUSES: readonly JobStatus[] = [...LIVE_STATUSES, ...FINAL_STATUSES];

export interface JobEntry {
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly status: JobStatus;
}

export class JobsProjection implements Projection {
  readonly name = 'jobs';
  private readonly table = new IndexTable();

  evolve({ kind, id, type }: EncodedEvent, _index: number, { seq }: Committed): void {
    if (kind !== 'job') return;
    const random = randomPart(id);
    const before = this.table.get(random);
    const to = jobChart.next(before ? STATUSES[before.status - 1]! : 'absent', type);
    if (to === undefined) throw new TypeError(`${type} of ${id} at ${seq} does not follow from its status`);
    this.table.set(random, seq, STATUSES.indexOf(to as JobStatus) + 1);
  }

  get size(): number {
    return this.table.size;
  }

  find(id: JobId): JobEntry | undefined {
    const entry = this.table.get(randomPart(id));
    return entry && { firstSeq: entry.firstSeq, lastSeq: entry.lastSeq, status: STATUSES[entry.status - 1]! };
  }
}

const randomPart = (id: string): string => id.slice(id.indexOf('-') + 1);

/** Reads ended jobs back from their two ends in the journal. */
export class JournalArchive implements Archive {
  constructor(
    private readonly jobs: JobsProjection,
    private readonly readCommit: (seq: number) => Promise<journal.Commit | undefined>,
  ) {}

  async find(id: JobId): Promise<ArchivedJob | undefined> {
    const entry = this.jobs.find(id);
    if (entry === undefined || !isFinal(entry.status)) return undefined;
    const first = eventsOf(id, await this.readCommit(entry.firstSeq)).find((each) => each.event.type === 'JobSubmitted');
    const commit = await this.readCommit(entry.lastSeq);
    const last = eventsOf(id, commit).at(-1);
    if (first?.event.type !== 'JobSubmitted' || last === undefined) return undefined;
    const submitted = first.event.body;
    return {
      id, type: submitted.jobType, queue: submitted.queue, key: submitted.key, priority: submitted.priority, labels: { ...submitted.labels },
      maxAttempts: submitted.policy.maxAttempts, submittedMs: first.nowMs, firstSeq: entry.firstSeq, lastSeq: entry.lastSeq,
      status: entry.status, endedMs: commit?.nowMs ?? 0, workerId: last.by, ...outcomeOf(last.event, entry.lastSeq, last.index),
    };
  }
}

function outcomeOf(event: JobEvent, seq: number, index: number): Pick<ArchivedJob, 'attempt' | 'result' | 'failure'> {
  switch (event.type) {
    case 'JobCompleted':
      return { attempt: event.body.attempt, result: { seq, index, contentType: event.body.contentType }, failure: undefined };
    case 'JobFailed':
    case 'JobCancelled':
    case 'JobExpired':
      return { attempt: event.body.attempt, result: undefined, failure: event.body.failure };
    default:
      throw new TypeError(`${event.type} ends no job`);
  }
}

function eventsOf(id: JobId, commit: journal.Commit | undefined): { event: JobEvent; index: number; nowMs: number; by: string }[] {
  return (commit?.events ?? []).flatMap((stored, index) => {
    const { kind, id: of, type, body, cause } = stored;
    if (kind !== 'job' || of !== id || !type || !isJobEventType(type)) return [];
    const by = cause?.type === 'ReportAttempt' ? (cause.by ?? '') : '';
    return [{ event: decodeJobEvent(type, body ?? new Uint8Array()), index, nowMs: commit?.nowMs ?? 0, by }];
  });
}

const isFinal = (status: JobStatus): status is FinalStatus => jobChart.isFinal(status);
