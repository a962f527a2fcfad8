/** Where ended jobs are read: their first and last commits in the journal, as the jobs projection finds them. */
import type { Archive } from '../actors/job/archive.js';
import { applyJob } from '../actors/job/job.apply.js';
import { JOB_EVENTS, type JobEvent } from '../actors/job/job.events.js';
import type { Job } from '../actors/job/job.js';
import { decodeEvent, type At } from '../actors/kind.js';
import type { journal } from '../protocols/messages.js';
import type { JobId, WorkerId } from '../protocols/ids.js';
import { checkWritten, type ReadCommit } from '../streams/contents.js';
import type { JobsProjection } from './jobs.js';

/** Reads ended jobs from their first and last commits in the journal. */
export class JournalArchive implements Archive {
  constructor(
    private readonly jobs: Pick<JobsProjection, 'find'>,
    private readonly readCommit: (seq: number) => Promise<ReadCommit | undefined>,
  ) {}

  async find(id: JobId): Promise<Readonly<Job> | undefined> {
    const entry = await this.jobs.find(id);
    if (entry?.status === undefined) return undefined;
    const { firstSeq, lastSeq } = entry;
    const began = eventsOf(id, firstSeq, await this.readCommit(firstSeq));
    const first = began.findLast(({ event }) => event.type === 'JobSubmitted' || event.type === 'JobRetried');
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
