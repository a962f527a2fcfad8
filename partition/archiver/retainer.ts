/**
 * Removes contents of ended jobs from the archive when they are old enough: below the cut only, where no live job needs
 * them. That a job has ended, and when, is taken from the archive itself, so the leader is not asked about any job: one
 * whose end is not below the cut keeps its contents, whatever its age.
 */
import { endsJob } from '../../actors/job/job.view.js';
import { tryRead } from '../../protocols/try-read.js';
import { job as messages, type journal } from '../../protocols/messages.js';
import type { Archive } from '../../streams/archive/archive.js';
import { manifestName, prefixOf, type Manifest, type SegmentFacts } from '../../streams/archive/manifest.js';
import { removeArchivedContents } from '../../streams/archive/remove-contents.js';
import type { ArchiveStore } from '../../streams/archive/store.js';
import { readManifest, sweep } from '../../streams/archive/write-segment.js';
import { decodeCommit, readCommit } from '../../streams/contents.js';
import type { Stored } from '../../streams/journal.js';
import type { RetentionOrder } from './messages.js';

export interface RetainerOptions {
  readonly store: ArchiveStore;
  /** With a cache: a job that spans segments is looked up. */
  readonly archive: Archive;
  /** Whether it is to go on. Asked between two commits, and before anything is written. */
  goesOn(): boolean;
}

export interface Retained {
  readonly firstSeq: number;
  /** Contents. */
  readonly removed: number;
}

/** What a segment, or the whole archive below the cut, says of a job. */
interface Told {
  queue: string | undefined;
  /** Time of the commit that ended it; undefined: it has not ended there. */
  endMs: number | undefined;
}

const KIND = 'job';
/** The time of a queue that keeps its contents for ever. */
const NEVER = Infinity;
const NOTHING = { due: new Set<string>(), nextMs: NEVER };

export class Retainer {
  /** By first position: before this time nothing more of the segment is old enough, with these settings. */
  private readonly dueMs = new Map<number, { readonly settings: string; readonly ms: number }>();

  constructor(private readonly options: RetainerOptions) {}

  /**
   * Goes over the segments whose last commit is below the cut. One call at a time for a journal.
   * @returns one entry for each segment that was changed. What fails can be repeated.
   * @throws RepriseError ARCHIVE_UNREACHABLE, ARCHIVE_BROKEN
   */
  async *pass(order: RetentionOrder): AsyncGenerator<Retained> {
    const times = new Times(order);
    if (times.least === NEVER) return;
    const { archive, goesOn } = this.options;
    await archive.refresh();
    const below = archive.manifests.filter(({ facts }) => facts.lastSeq <= order.cutSeq);
    const cut = below.at(-1)?.facts;
    for (const { facts } of below) {
      if (!goesOn() || cut === undefined || facts.firstMs + times.least > order.nowMs) return;
      if (!this.isDue(facts.firstSeq, times.key, order.nowMs)) continue;
      const before = await this.current(facts.firstSeq);
      const isEmpty = before.contents.removed === facts.contents;
      const { due, nextMs } = isEmpty ? NOTHING : await this.look(facts, cut, times, order);
      const removed = due.size === 0 ? 0 : await this.remove(facts.firstSeq, due, before);
      this.dueMs.set(facts.firstSeq, { settings: times.key, ms: nextMs });
      if (removed > 0) yield { firstSeq: facts.firstSeq, removed };
    }
  }

  private isDue(firstSeq: number, settings: string, nowMs: number): boolean {
    const known = this.dueMs.get(firstSeq);
    return known === undefined || known.settings !== settings || known.ms <= nowMs;
  }

  /** The manifest as it is now: the archive may know one of before a removal. Leftovers of a crash go. */
  private async current(firstSeq: number): Promise<Manifest> {
    const { store, archive: { journal } } = this.options;
    const manifest = await readManifest(store, manifestName(prefixOf(journal, firstSeq)));
    if (!this.dueMs.delete(firstSeq)) await sweep(store, journal, manifest);
    return manifest;
  }

  /** The jobs whose contents go, and when others of the segment may follow. */
  private async look(
    { firstSeq, lastSeq }: SegmentFacts, cut: SegmentFacts, times: Times, { nowMs }: RetentionOrder,
  ): Promise<{ due: ReadonlySet<string>; nextMs: number }> {
    const due = new Set<string>();
    let nextMs = NEVER;
    for (const [id, told] of await this.jobsIn(firstSeq, lastSeq)) {
      const queue = told.queue ?? (await this.queueOf(id, firstSeq));
      const keptMs = queue === undefined ? NEVER : times.of(queue);
      if (keptMs === NEVER) continue;
      const endMs = told.endMs ?? (await this.endOf(id, lastSeq, cut.lastSeq));
      // One that has not ended below the cut ends after it.
      const goesMs = (endMs ?? cut.lastMs) + keptMs;
      if (endMs !== undefined && goesMs <= nowMs) due.add(id);
      else nextMs = Math.min(nextMs, goesMs);
    }
    return { due, nextMs };
  }

  private async jobsIn(firstSeq: number, lastSeq: number): Promise<ReadonlyMap<string, Told>> {
    const jobs = new Map<string, Told & { hasContent: boolean }>();
    for await (const stored of this.options.archive.replay(firstSeq)) {
      if (stored.seq > lastSeq || !this.options.goesOn()) break;
      const { commit: { events, nowMs }, encoded } = readCommit(stored.bytes);
      for (const [index, event] of events.entries()) {
        if (event.kind !== KIND) continue;
        const told = jobs.get(event.id!) ?? { queue: undefined, endMs: undefined, hasContent: false };
        jobs.set(event.id!, told);
        told.hasContent ||= encoded.saltedContent(index) !== undefined;
        told.queue ??= queueIn(event);
        if (endsJob(event.type!)) told.endMs = nowMs;
      }
    }
    return new Map([...jobs].filter(([, { hasContent }]) => hasContent));
  }

  /** Of a job that was submitted in an earlier segment. @returns undefined if the archive begins after it */
  private async queueOf(id: string, beforeSeq: number): Promise<string | undefined> {
    const { archive } = this.options;
    for (const seq of await archive.positionsOf(KIND, id, { toSeq: beforeSeq - 1 })) {
      const queue = eventsOf(await archive.read(seq), id).map(queueIn).find((each) => each !== undefined);
      if (queue !== undefined) return queue;
    }
    return undefined;
  }

  /** Of a job that ended in a later segment. @returns undefined if it has not ended up to a position */
  private async endOf(id: string, afterSeq: number, toSeq: number): Promise<number | undefined> {
    const { archive } = this.options;
    for (const seq of (await archive.positionsOf(KIND, id, { fromSeq: afterSeq + 1, toSeq })).toReversed()) {
      const stored = await archive.read(seq);
      if (eventsOf(stored, id).some(({ type }) => endsJob(type!))) return decodeCommit(stored!.bytes).nowMs;
    }
    return undefined;
  }

  private async remove(firstSeq: number, due: ReadonlySet<string>, before: Manifest): Promise<number> {
    const { store, archive, goesOn } = this.options;
    const after = await removeArchivedContents(store, archive.journal, firstSeq, ({ event }) => {
      if (!goesOn()) throw new Ended();
      return event.kind === KIND && due.has(event.id);
    });
    return after.contents.removed - before.contents.removed;
  }
}

/** It was told to end while it read. Nothing was written. */
export class Ended extends Error {}

/** For how long which queue keeps contents. */
class Times {
  /** Of all queues: no content goes sooner. */
  readonly least: number;
  /** The same for the same settings. */
  readonly key: string;
  private readonly byQueue: ReadonlyMap<string, number>;

  constructor({ settings }: RetentionOrder) {
    this.byQueue = new Map(settings.map(({ queue, contentMs }) => [queue, contentMs === 0 ? NEVER : contentMs]));
    this.least = Math.min(NEVER, ...this.byQueue.values());
    this.key = JSON.stringify(settings);
  }

  of(queue: string): number {
    return this.byQueue.get(queue) ?? this.byQueue.get('') ?? NEVER;
  }
}

const eventsOf = (stored: Stored | undefined, wanted: string): journal.Event.$Properties[] =>
  (stored === undefined ? [] : decodeCommit(stored.bytes).events)
    .filter(({ kind, id }) => kind === KIND && id === wanted);

/** @returns undefined unless it is the event that submits a job */
const queueIn = ({ type, body }: journal.Event.$Properties): string | undefined =>
  type === 'JobSubmitted' && body ? tryRead(() => messages.JobSubmitted.decode(body).queue) : undefined;
