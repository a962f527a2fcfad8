/**
 * The jobs projection: where every job begins and ends in the journal, and how it ended. It answers for the jobs that have
 * left their leader; what it says of them is read from the journal itself, so nothing is kept twice.
 */
import type { Archive } from '../actors/job/archive.js';
import { applyJob } from '../actors/job/job.apply.js';
import { JOB_EVENTS, type JobEvent } from '../actors/job/job.events.js';
import { decodeEvent, type At } from '../actors/kind.js';
import { FINAL_STATUSES, type FinalStatus, type Job } from '../actors/job/job.js';
import { jobChart } from '../actors/job/job.chart.js';
import type { journal } from '../protocols/messages.js';
import type { JobId, WorkerId } from '../protocols/ids.js';
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

  async find(id: JobId): Promise<Readonly<Job> | undefined> {
    const entry = this.jobs.find(id);
    if (entry?.status === undefined) return undefined;
    const first = eventsOf(id, entry.firstSeq, await this.readCommit(entry.firstSeq)).find(({ event }) => event.type === 'JobSubmitted');
    const last = eventsOf(id, entry.lastSeq, await this.readCommit(entry.lastSeq)).at(-1);
    if (first === undefined || last === undefined) return undefined;
    const job = applyJob(undefined, first.event, id, first.at);
    applyJob(job, last.event, id, last.at);
    if ('attempt' in last.event.body) job.attempt = last.event.body.attempt;
    job.workerId = last.by;
    return job;
  }
}

interface OfJob {
  readonly event: JobEvent;
  readonly at: At;
  readonly by: WorkerId | '';
}

/** @throws RepriseError JOURNAL_BROKEN for content that is not what was written */
function eventsOf(id: JobId, seq: number, read: ReadCommit | undefined): OfJob[] {
  if (read === undefined) return [];
  const { commit: { events, nowMs }, encoded } = read;
  return events.flatMap((stored, index) => {
    const { kind, id: of, cause } = stored;
    if (kind !== 'job' || of !== id) return [];
    checkWritten(encoded, seq, index);
    const by = cause?.type === 'ReportAttempt' ? ((cause.by ?? '') as WorkerId | '') : '';
    const event = decodeEvent<JobEvent>(JOB_EVENTS, stored as journal.Event, `event ${index} of job ${id}`);
    return [{ event, at: { seq, index, nowMs, place: 0, content: event.content }, by }];
  });
}
