/**
 * The version barrier: the first event that the release before cannot read is preceded by a VersionBarrier, and from
 * its commit on every commit says that it needs a newer reader. Until then brokers of both releases may take turns.
 */
import type { ActorEvent, EventTable, EventType } from '../../actors/kind.js';
import { journal } from '../../protocols/messages.js';
import { BASE_READER, READER } from '../../streams/chain.js';

export interface VersionBarrier {
  /** The number that a reader needs from here on. */
  readonly reader: number;
  /** Which wrote it, for people. */
  readonly release: string;
}

export type BarrierEvent = ActorEvent & {
  readonly type: 'VersionBarrier';
  readonly body: { readonly status: '' } & VersionBarrier;
};

export const BARRIER_EVENTS: EventTable<BarrierEvent> = {
  VersionBarrier: { version: 1, message: journal.VersionBarrier },
};

/** The barriers that the event types of a partition may need, and that this build can write. */
export class Barriers {
  /** That a barrier may name, each once. */
  private readonly readers: readonly number[];

  /**
   * @param release of this build
   * @throws TypeError for an event that this version itself could not read
   */
  constructor(tables: readonly EventTable[], private readonly release: string) {
    const readers = new Set<number>();
    for (const [type, { since = 0 }] of tables.flatMap((table) => Object.entries<EventType>(table))) {
      if (since > READER) throw new TypeError(`${type} needs a reader of version ${since}; this one is ${READER}`);
      if (since > BASE_READER) readers.add(since);
    }
    this.readers = [...readers];
  }

  /** How many a decision may write at most. @param last the last one in the journal */
  ahead(last: VersionBarrier | undefined): number {
    return this.readers.filter((reader) => reader > needed(last)).length;
  }

  /** The one that an event must follow; undefined if there need not be one. */
  before(of: EventType, body: object, last: VersionBarrier | undefined): BarrierEvent | undefined {
    const { since = 0 } = of;
    if (since <= needed(last) || of.needsSince?.(body) === false) return undefined;
    return { type: 'VersionBarrier', body: { status: '', reader: since, release: this.release } };
  }
}

const needed = (last: VersionBarrier | undefined): number => last?.reader ?? BASE_READER;
