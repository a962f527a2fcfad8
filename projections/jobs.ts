/**
 * The jobs projection: the positions of the first and the last commit of every job, and its final status. It serves the
 * jobs that have left the leader's state. Their contents are read from the journal, so nothing is stored twice.
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

/** Codes in the table: 1 for a job that has not ended, then the final statuses in their order. */
const NOT_ENDED = 1;
const FIRST_FINAL = 2;

/** The code of the final status that an event leads to. */
const FINAL_CODE_OF: ReadonlyMap<string, number> = new Map(
  jobChart.arrows
    .filter(({ to }) => jobChart.isFinal(to))
    .map(({ event, to }) => [event, FINAL_STATUSES.indexOf(to as FinalStatus) + FIRST_FINAL]),
);

export interface JobEntry {
  readonly firstSeq: number;
  /** Of the commit that ended the job; until then, of the first one. */
  readonly lastSeq: number;
  /** undefined until it has ended: the leader holds it. */
  readonly status: FinalStatus | undefined;
}

export class JobsProjection implements Projection {
  readonly name = 'jobs';
  private readonly table = new IndexTable();

  evolve({ kind, id, type }: EventName, _index: number, { seq }: Committed): void {
    if (kind !== 'job') return;
    const status = type === 'JobSubmitted' ? NOT_ENDED : FINAL_CODE_OF.get(type);
    if (status !== undefined) this.table.set(id, seq, status);
  }

  get size(): number {
    return this.table.size;
  }

  find(id: JobId): JobEntry | undefined {
    const entry = this.table.get(id);
    if (entry === undefined) return undefined;
    const { firstSeq, lastSeq, status } = entry;
    return { firstSeq, lastSeq, status: FINAL_STATUSES[status - FIRST_FINAL] };
  }
}

/** Reads ended jobs from their first and last commits in the journal. */
export class JournalArchive implements Archive {
  constructor(
    private readonly jobs: JobsProjection,
    private readonly readCommit: (seq: number) => Promise<ReadCommit | undefined>,
  ) {}

  async find(id: JobId): Promise<Readonly<Job> | undefined> {
    const entry = this.jobs.find(id);
    if (entry?.status === undefined) return undefined;
    const { firstSeq, lastSeq } = entry;
    const began = eventsOf(id, firstSeq, await this.readCommit(firstSeq));
    const first = began.find(({ event }) => event.type === 'JobSubmitted');
    const last = eventsOf(id, lastSeq, await this.readCommit(lastSeq)).at(-1);
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

/** @throws RepriseError JOURNAL_BROKEN for content that was changed */
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
