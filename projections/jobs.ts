/**
 * The jobs projection: the positions of the first and the last commit of every job, and its final status. It finds the
 * jobs that have left the leader's state. Its index is on disk and keeps its own checkpoint.
 */
import { FINAL_STATUSES, type FinalStatus } from '../actors/job/job.js';
import { jobChart } from '../actors/job/job.chart.js';
import type { JobId, Namespace, Partition } from '../protocols/ids.js';
import type { Committed, EventName } from '../streams/committed.js';
import type { ReadStored } from './catch-up.js';
import { IndexKeeper, type KeeperOptions } from './index/keeper.js';
import type { Checkpoint, Projection } from './projection.js';

/** Codes in the index: 1 for a job that has not ended, then the final statuses in their order. */
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

const IN_MEMORY: KeeperOptions = { partition: 0 as Partition, namespace: '' as Namespace };

export class JobsProjection implements Projection {
  readonly name = 'jobs';
  private readonly keeper: IndexKeeper;

  /** @param options without them the index stays in memory */
  constructor(options: KeeperOptions = IN_MEMORY) {
    this.keeper = new IndexKeeper(options, (commit) => {
      for (const event of commit.events) this.note(event, commit.seq);
    });
  }

  /** Before a take-over. @returns after which commit it begins; undefined: after the last one that it got */
  begin(read: ReadStored): Promise<Checkpoint | undefined> {
    return this.keeper.begin(read);
  }

  /** @param read of the journal that is led from now on */
  lead(read: ReadStored): void {
    this.keeper.lead(read);
  }

  /** Up to there the index is on disk; in memory it is made again from the archive. */
  get storedSeq(): number {
    return this.keeper.storedSeq;
  }

  evolve(event: EventName, _index: number, { seq }: Committed): void {
    if (!this.keeper.isBehind) this.note(event, seq);
  }

  skipped(seq: number): void {
    this.keeper.skipped(seq);
  }

  committed(commit: Committed): void {
    this.keeper.committed(commit);
  }

  /** @throws RepriseError TIMED_OUT while the index is made again */
  async find(id: JobId): Promise<JobEntry | undefined> {
    const entry = await this.keeper.find(id);
    if (entry === undefined) return undefined;
    const { firstSeq, lastSeq, status } = entry;
    return { firstSeq, lastSeq, status: FINAL_STATUSES[status - FIRST_FINAL] };
  }

  close(): Promise<void> {
    return this.keeper.close();
  }

  private note({ kind, id, type }: EventName, seq: number): void {
    if (kind !== 'job') return;
    // A retry says all that the submission said.
    const isFirst = type === 'JobSubmitted' || type === 'JobRetried';
    const status = isFirst ? NOT_ENDED : FINAL_CODE_OF.get(type);
    if (status !== undefined) this.keeper.index.set(id, seq, status, isFirst);
  }
}
