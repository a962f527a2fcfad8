/**
 * Faults of a broker's operations on the journal and on the objects: one fails, or the broker crashes at it. After a
 * crash nothing of that broker has an effect any more.
 */
import { RepriseError } from '../../protocols/errors.js';
import type { Journal, Stored } from '../../streams/journal.js';
import type { ObjectPlace } from '../../streams/snapshots/objects.js';

export const WAYS = ['fails before', 'fails after', 'crashes before', 'crashes after'] as const;
export type Way = (typeof WAYS)[number];

export class Faults {
  /** What was done, in order. */
  readonly operations: string[] = [];
  hasCrashed = false;

  /** @param at from 1: the operation that fails; Infinity: none */
  constructor(
    private readonly at: number,
    private readonly way: Way,
  ) {}

  objects(inside: ObjectPlace): ObjectPlace {
    return {
      list: () => this.through('list', () => inside.list()),
      put: (name, ...of) => this.through(`put ${kindOf(name)}`, () => inside.put(name, ...of)),
      update: (name, metadata) => this.through(`mark ${kindOf(name)}`, () => inside.update(name, metadata)),
      chunks: (name) => this.through(`read ${kindOf(name)}`, () => inside.chunks(name)),
      get: (name) => this.through(`read ${kindOf(name)}`, () => inside.get(name)),
      remove: (name) => this.through(`remove ${kindOf(name)}`, () => inside.remove(name)),
    };
  }

  journal(inside: Journal): Journal {
    return {
      partition: inside.partition,
      closed: inside.closed,
      append: (...of) => this.through('append', () => inside.append(...of)),
      replay: (fromSeq) => this.replay(inside, fromSeq),
      read: (seq) => this.through('read', () => inside.read(seq)),
      lastSeq: () => this.through('end', () => inside.lastSeq()),
      end: () => this.through('end', () => inside.end()),
      truncate: (firstSeq) => this.through('truncate', () => inside.truncate(firstSeq)),
      reopen: async () => this.journal(await this.through('reopen', () => inside.reopen())),
      close: () => inside.close(),
    };
  }

  private async *replay(inside: Journal, fromSeq: number): AsyncGenerator<Stored> {
    yield* await this.through('replay', async () => inside.replay(fromSeq));
  }

  private async through<T>(what: string, act: () => Promise<T>): Promise<T> {
    if (this.hasCrashed) throw down('it has crashed');
    this.operations.push(what);
    if (this.operations.length !== this.at) return act();
    if (this.way.startsWith('crashes')) this.hasCrashed = true;
    if (this.way.endsWith('after')) await act();
    throw down(`${what} ${this.way}`);
  }
}

const kindOf = (name: string): string => (name.startsWith('carried/') ? 'carried' : 'snapshot');

const down = (why: string): RepriseError => new RepriseError('SERVER_UNREACHABLE', `A fault: ${why}.`);
