/** The projections of a partition, and the checkpoints at which they start when this broker takes over. */
import type { Logger } from 'pino';
import type { Archive } from '../../actors/job/archive.js';
import { EventsProjection, type EventsOptions } from '../../projections/events.js';
import { JobsProjection } from '../../projections/jobs.js';
import { JournalArchive } from '../../projections/journal-archive.js';
import { ProjectionRunner } from '../../projections/runner.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { readCommit } from '../../streams/contents.js';
import { storedHead } from '../../streams/head.js';
import { checkpointOf, readKnown, type Heads } from '../../streams/heads.js';
import { watermarkOfProjection, type Watermark } from '../../streams/watermarks.js';
import type { Journal } from '../../streams/journal.js';
import type { KnownHead } from '../../streams/takeover.js';

type Where = 'leadership' | 'witness' | 'checkpoints';
type OnForeign = (where: Where, messages: number) => void;

export const logForeign = (log: Logger, partition: Partition): OnForeign => (where, messages) =>
  log.warn({ partition, messages, where }, 'foreign messages are skipped');

export interface ProjectionsOptions extends Pick<EventsOptions, 'ns' | 'publish' | 'hasListener' | 'mayPublish'> {
  readonly ns: Namespace;
  readonly log: Logger;
  /** The folder of indexes; without it they stay in memory. */
  readonly indexDir: string | undefined;
  readonly witness: Heads;
  readonly checkpoints: Heads;
  readonly onForeign: OnForeign;
}

export class Projections {
  readonly events: EventsProjection;
  readonly runner: ProjectionRunner;
  private readonly jobs: JobsProjection;
  private eventsSeq = 0;

  constructor(
    private readonly partition: Partition,
    private readonly options: ProjectionsOptions,
  ) {
    const { ns: namespace, log, checkpoints, indexDir: root } = options;
    const warn = (details: object, message: string): void => log.warn(details, message);
    this.jobs = new JobsProjection({ partition, namespace, root, warn });
    this.events = new EventsProjection({
      ...options,
      onSettled: (commit) => {
        this.eventsSeq = commit.seq;
        checkpoints.note(storedHead(commit, this.events.name));
      },
      onDropped: (commits) => log.warn(
        { partition, commits }, 'facts of the oldest commits are not published again: the checkpoint is too far behind',
      ),
    });
    this.runner = new ProjectionRunner(partition, [this.jobs, this.events]);
  }

  /** Before a take-over. Another broker may have led since, so checkpoints are read again. @returns every known head */
  async begin(read: Journal['read']): Promise<readonly KnownHead[]> {
    const { witness, checkpoints, onForeign } = this.options;
    const known = await readKnown(witness, checkpoints, this.partition);
    for (const where of ['witness', 'checkpoints'] as const) {
      if (known[where].foreign > 0) onForeign(where, known[where].foreign);
    }
    this.events.follow();
    const settled = checkpointOf(known.checkpoints.heads, this.events.name);
    this.eventsSeq = settled?.seq ?? 0;
    this.runner.begin(this.events.name, settled);
    const checkpoint = await this.jobs.begin(read);
    if (checkpoint) this.runner.begin(this.jobs.name, checkpoint);
    return known.heads;
  }

  /** How far they have come, and have saved it. */
  get watermarks(): readonly Watermark[] {
    return [
      watermarkOfProjection(this.events.name, this.eventsSeq),
      watermarkOfProjection(this.jobs.name, this.jobs.storedSeq),
    ];
  }

  archive(read: Journal['read']): Archive {
    this.jobs.lead(read);
    return new JournalArchive(this.jobs, async (seq) => {
      const stored = await read(seq);
      return stored && readCommit(stored.bytes);
    });
  }
}
