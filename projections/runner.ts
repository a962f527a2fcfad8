/**
 * Runs projections over a partition's commits, each from its own checkpoint on. The leader passes on every commit that
 * it has replayed or written, in order, so that nothing is read from the server twice. Commits up to a projection's
 * checkpoint are skipped.
 */
import type { Committed, Follower } from '../streams/committed.js';
import type { Partition } from '../protocols/ids.js';
import { RepriseError } from '../protocols/errors.js';
import type { Checkpoint, Projection } from './projection.js';

interface Running {
  readonly projection: Projection;
  checkpoint: Checkpoint;
}

const START: Checkpoint = { seq: 0, hash: new Uint8Array() };

export class ProjectionRunner implements Follower {
  private readonly running: Running[];

  constructor(
    readonly partition: Partition,
    projections: readonly Projection[],
  ) {
    this.running = projections.map((projection) => ({ projection, checkpoint: START }));
  }

  /** Sets where a projection begins at the next replay of the journal: after a checkpoint, or at the beginning. */
  begin(name: string, checkpoint: Checkpoint = START): void {
    const running = this.running.find((each) => each.projection.name === name);
    if (running) running.checkpoint = checkpoint;
  }

  /** Of the projection that is farthest behind. */
  get after(): Checkpoint {
    const checkpoints = this.running.map(({ checkpoint }) => checkpoint);
    return checkpoints.reduce((least, each) => (each.seq < least.seq ? each : least), checkpoints[0] ?? START);
  }

  skipTo({ seq, hash }: Checkpoint): void {
    for (const running of this.running) {
      if (running.checkpoint.seq >= seq) continue;
      running.projection.skipped?.(seq);
      running.checkpoint = { seq, hash };
    }
  }

  follow(committed: Committed): void {
    if (committed.partition !== this.partition) {
      throw new TypeError(`expected a commit of partition ${this.partition}, got one of ${committed.partition}`);
    }
    for (const each of this.running) this.advance(each, committed);
  }

  async close(): Promise<void> {
    for (const { projection } of this.running) await projection.close?.();
  }

  private advance(running: Running, committed: Committed): void {
    const { seq, hash, events } = committed;
    if (seq <= running.checkpoint.seq) return this.compare(running, seq, hash);
    const { projection } = running;
    for (let index = 0; index < events.length; index += 1) projection.evolve(events[index]!, index, committed);
    projection.committed?.(committed);
    running.checkpoint = { seq, hash };
  }

  /** The commit at the checkpoint must be the one that was folded before. */
  private compare({ projection, checkpoint }: Running, seq: number, hash: Uint8Array): void {
    if (seq !== checkpoint.seq || Buffer.compare(hash, checkpoint.hash) === 0) return;
    const found = `commit ${seq} differs from the one at the checkpoint of the projection ${projection.name}`;
    throw new RepriseError('JOURNAL_REGRESSED', found);
  }
}
