/**
 * Truncates a journal at its beginning: up to what two verified snapshots, the archive and every projection have
 * passed, less a margin. The cut is recorded in the journal before it is made, and made again if a crash came between.
 */
import { setImmediate as soon } from 'node:timers/promises';
import type { Logger } from 'pino';
import { messageOf, RepriseError } from '../../protocols/errors.js';
import type { JournalId, Partition } from '../../protocols/ids.js';
import { tryRead } from '../../protocols/try-read.js';
import { commitHash } from '../../streams/contents.js';
import type { Journal } from '../../streams/journal.js';
import { watermarkOfArchive, watermarkOfSnapshots, lowWatermark, type Watermark } from '../../streams/watermarks.js';
import type { Carried, Place } from '../../streams/snapshots/carried.js';
import type { SnapshotStore } from '../../streams/snapshots/store.js';
import type { PartitionState } from '../core/state.js';
import type { Clock } from './leader-time.js';

/** Positions that stay behind the low watermark, and how many must go at least for a truncation to be worth it. */
export interface TruncationPolicy {
  readonly margin: number;
  readonly least: number;
  /** A projection that is farther behind than this does not count any more. */
  readonly mostLag: number;
  readonly everyMs: number;
}

const TRUNCATION: TruncationPolicy = { margin: 256, least: 1_024, mostLag: 1_000_000, everyMs: 15_000 };
/** Rows of the state that are looked at in one turn of the loop. */
const AT_ONCE = 2_000;

export interface TruncatorOptions {
  readonly partition: Partition;
  readonly state: PartitionState;
  readonly journal: Journal;
  readonly snapshots: Pick<SnapshotStore, 'list'>;
  readonly carried: Carried;
  /** The last position that the archive has; undefined: there is no archive, or nothing is in it yet. */
  archived(): { readonly seq: number } | undefined;
  /** How far projections have come, and have saved it. */
  projections(): readonly Watermark[];
  /** Resolves when the cut is recorded and acknowledged. */
  record(cut: Cut): Promise<void>;
  load(of: Place): Promise<Uint8Array | undefined>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly policy?: TruncationPolicy | undefined;
}

/** The last commit that goes. */
export interface Cut {
  readonly seq: number;
  readonly hash: Uint8Array;
}

export class Truncator {
  private readonly timer: NodeJS.Timeout;
  private running: Promise<void> | undefined;
  private ended = false;
  private readonly lagging = new Set<string>();

  constructor(private readonly options: TruncatorOptions) {
    const { everyMs } = options.policy ?? TRUNCATION;
    this.timer = setInterval(() => void this.run(), everyMs).unref();
    void this.run();
  }

  /** Cuts what can be cut. One at a time. */
  run(): Promise<void> {
    this.running ??= this.tryOnce().finally(() => (this.running = undefined));
    return this.running;
  }

  async end(): Promise<void> {
    this.ended = true;
    clearInterval(this.timer);
    await this.running;
  }

  private async tryOnce(): Promise<void> {
    const { partition, log } = this.options;
    try {
      await this.finish();
      const cut = await this.next();
      if (cut && !this.ended) await this.truncate(cut);
    } catch (error) {
      const why = messageOf(error);
      if (!this.ended) log.warn({ partition, why }, 'the journal could not be truncated; trying again');
    }
  }

  /** A crash may have come between the record and the cut. */
  private async finish(): Promise<void> {
    const { state, journal } = this.options;
    const recordedSeq = state.truncated?.seq ?? 0;
    if ((await journal.end()).firstSeq <= recordedSeq) await journal.truncate(recordedSeq + 1);
  }

  private async next(): Promise<Cut | undefined> {
    const { state, policy = TRUNCATION } = this.options;
    const archived = this.options.archived()?.seq ?? 0;
    // Most looks end here, without a question to the server.
    if (archived - policy.margin - (state.truncated?.seq ?? 0) < policy.least) return undefined;
    const low = lowWatermark(await this.watermarks(), state.seq);
    const seq = (low?.seq ?? 0) - policy.margin;
    return seq - (state.truncated?.seq ?? 0) < policy.least ? undefined : this.cutAt(seq);
  }

  private async watermarks(): Promise<Watermark[]> {
    const { partition, state, snapshots, archived, policy = TRUNCATION } = this.options;
    const verified = (await snapshots.list(partition))
      .filter(({ isVerified, journalId }) => isVerified && journalId === state.journalId);
    const marks = [watermarkOfSnapshots(verified.map(({ seq }) => seq)), watermarkOfArchive(archived()?.seq ?? 0)];
    const others = lowWatermark(marks, state.seq)?.seq ?? 0;
    for (const projection of this.options.projections()) {
      if (projection.seq >= others - policy.mostLag) marks.push(projection);
      else this.alarm(projection, others);
    }
    return marks;
  }

  private alarm({ name, seq }: Watermark, others: number): void {
    if (this.lagging.has(name)) return;
    this.lagging.add(name);
    const { partition, log } = this.options;
    const message = 'a projection is too far behind for the journal to wait for it; it goes on from the archive';
    log.error({ partition, projection: name, seq, lag: others - seq }, message);
  }

  /** @throws RepriseError when the leader ends, which waits for what is running here */
  private goOn(): void {
    if (this.ended) throw new RepriseError('NOT_LEADER', 'this broker does not lead any more');
  }

  /** The last commit up to a position: foreign messages are none. */
  private async cutAt(upToSeq: number): Promise<Cut | undefined> {
    for (let seq = upToSeq; seq > 0; seq -= 1) {
      const stored = await this.options.journal.read(seq);
      const hash = stored && tryRead(() => commitHash(stored.bytes));
      if (hash) return { seq, hash };
    }
    return undefined;
  }

  private async truncate(cut: Cut): Promise<void> {
    const { partition, state, journal, carried, record, load, clock, log } = this.options;
    const started = clock.monoMs();
    const afterSeq = state.truncated?.seq ?? 0;
    const kept = carried.all;
    const places: Place[] = [];
    await this.eachNeeded(cut.seq, (of) => (of.seq > afterSeq ? places.push(of) : kept.need(of)));
    await carried.carry(state.journalId as JournalId, places, (of) => {
      this.goOn();
      return load(of);
    });
    this.goOn();
    await record(cut);
    await journal.truncate(cut.seq + 1);
    await carried.keep(kept);
    const tookMs = Math.round(clock.monoMs() - started);
    log.info({ partition, seq: cut.seq, carried: places.length, tookMs }, 'the journal is truncated');
  }

  /** Contents that the state needs. In slices: no command waits for it. Jobs that are new meanwhile are later. */
  private async eachNeeded(upToSeq: number, note: (of: Place) => void): Promise<void> {
    const { cast, aside } = this.options.state;
    for (const [kind, { store }] of cast) {
      let looked = 0;
      for (const place of store.needed?.(upToSeq, aside.keptOf(kind)) ?? []) {
        if (place) note(place);
        looked += 1;
        if (looked % AT_ONCE === 0) await soon();
        this.goOn();
      }
    }
  }
}
