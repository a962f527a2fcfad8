/**
 * The jobs projection: where every job begins and ends in the journal, and how it ended. It answers for the jobs that have
 * left their leader; what it says of them is read from the journal itself, so nothing is kept twice.
 */
import type { Archive, ArchivedJob } from '../actors/job/archive.js';
import { JOB_EVENTS, type JobEvent } from '../actors/job/job.events.js';
import { decodeEvent } from '../actors/kind.js';
import { FINAL_STATUSES, type FinalStatus } from '../actors/job/job.js';
import { jobChart } from '../actors/job/job.chart.js';
import type { journal } from '../protocols/messages.js';
import type { JobId } from '../protocols/ids.js';
import { checkWritten, type ReadCommit } from '../streams/contents.js';
import { IndexTable } from './index-table.js';
import type { Committed, EventName } from '../streams/committed.js';
import type { Projection } from './projection.js';

/** In the table: 1 for a job that lives, then the final statuses in their order. */
const LIVES = 1;
const FIRST_FINAL = 2;

/** What the events that end a job stand for in the table. */
const ENDS: ReadonlyMap<string, number> = new Map(
  jobChart.arrows.filter(({ to }) => jobChart.isFinal(to)).map(({ event, to }) => [event, FINAL_STATUSES.indexOf(to as FinalStatus) + FIRST_FINAL]),
);

export interface JobEntry {
  readonly firstSeq: number;
  /** Of the commit that ended it; while it lives, of the one that began it. */
  readonly lastSeq: number;
  /** undefined while it lives: then its leader knows more. */
  readonly status: FinalStatus | undefined;
}

export class JobsProjection implements Projection {
  readonly name = 'jobs';
  private readonly table = new IndexTable();

  evolve({ kind, id, type }: EventName, _index: number, { seq }: Committed): void {
    if (kind !== 'job') return;
    const status = type === 'JobSubmitted' ? LIVES : ENDS.get(type);
    if (status !== undefined) this.table.set(id, seq, status);
  }

  get size(): number {
    return this.table.size;
  }

  find(id: JobId): JobEntry | undefined {
    const entry = this.table.get(id);
    return entry && { firstSeq: entry.firstSeq, lastSeq: entry.lastSeq, status: FINAL_STATUSES[entry.status - FIRST_FINAL] };
  }
}

/** Reads ended jobs back from their two ends in the journal. */
export class JournalArchive implements Archive {
  constructor(
    private readonly jobs: JobsProjection,
    private readonly readCommit: (seq: number) => Promise<ReadCommit | undefined>,
  ) {}

  async find(id: JobId): Promise<ArchivedJob | undefined> {
    const entry = this.jobs.find(id);
    if (entry?.status === undefined) return undefined;
    const first = eventsOf(id, entry.firstSeq, await this.readCommit(entry.firstSeq)).find((each) => each.event.type === 'JobSubmitted');
    const read = await this.readCommit(entry.lastSeq);
    const last = eventsOf(id, entry.lastSeq, read).at(-1);
    if (first?.event.type !== 'JobSubmitted' || last === undefined) return undefined;
    const submitted = first.event.body;
    return {
      id, type: submitted.jobType, queue: submitted.queue, key: submitted.key, priority: submitted.priority, labels: { ...submitted.labels },
      maxAttempts: submitted.policy.maxAttempts, submittedMs: first.nowMs, firstSeq: entry.firstSeq, lastSeq: entry.lastSeq,
      status: entry.status, endedMs: read?.commit.nowMs ?? 0, workerId: last.by, ...outcomeOf(last.event, entry.lastSeq, last.index),
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

interface OfJob {
  readonly event: JobEvent;
  readonly index: number;
  readonly nowMs: number;
  readonly by: string;
}

/** @throws RepriseError JOURNAL_BROKEN for content that is not what was written */
function eventsOf(id: JobId, seq: number, read: ReadCommit | undefined): OfJob[] {
  if (read === undefined) return [];
  const { commit, encoded } = read;
  return commit.events.flatMap((stored, index) => {
    const { kind, id: of, cause } = stored;
    if (kind !== 'job' || of !== id) return [];
    checkWritten(encoded, seq, index);
    const by = cause?.type === 'ReportAttempt' ? (cause.by ?? '') : '';
    const event = decodeEvent<JobEvent>(JOB_EVENTS, stored as journal.Event, `event ${index} of job ${id}`);
    return [{ event, index, nowMs: commit.nowMs, by }];
  });
}
