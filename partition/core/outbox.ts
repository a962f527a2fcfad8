/**
 * Commands that were sent to other partitions and not yet recorded there, and the last sequence received from each
 * other partition. Both are folded from the partition's own events, so they survive a change of leader. Sequences count
 * per pair of origin and destination, so one number for each origin is enough for deduplication.
 */
import { canonicalOf, refOf } from '../../actors/canonical.js';
import type { ActorEvent, BodyContent, EventTable } from '../../actors/kind.js';
import { RepriseError } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import { outbox as messages } from '../../protocols/messages.js';
import type { ContentRef } from '../../streams/content.js';
import { PendingCommands, type PendingCommand, type SentCommand } from './pending.js';

/** Of one command's body: more than the largest job. */
export const MOST_BODY_BYTES = 320 * 1024;
/** In the commit with a command: the record that it was received, or the answers and what is decided on them. */
const BESIDE_BODY_BYTES = 64 * 1024;

/** Of one command's body, where a commit has so many bytes at most. */
export const mostBodyBytes = (maxCommitBytes: number): number =>
  Math.max(0, Math.min(MOST_BODY_BYTES, maxCommitBytes - BESIDE_BODY_BYTES));

export interface Refusal {
  readonly seq: number;
  readonly code: string;
  readonly message: string;
}

interface Status {
  readonly status: '';
}

interface Bodies {
  CommandSent: Status & SentCommand & { readonly to: number };
  CommandReceived: Status & Refusal & { readonly origin: string; readonly from: number; readonly settledSeq: number };
  CommandsAnswered: Status & { readonly to: number; readonly upToSeq: number; readonly refused: readonly Refusal[] };
}
type EventOf<T extends keyof Bodies> = { readonly type: T; readonly body: Bodies[T] };
export type OutboxEvent = ActorEvent & { [T in keyof Bodies]: EventOf<T> }[keyof Bodies];

const BODY: BodyContent = {
  field: 4,
  bytes: (body) => (body as Bodies['CommandSent']).body,
  without: (body) => ({ ...(body as Bodies['CommandSent']), body: NONE }),
};
const NONE = new Uint8Array(0);

export const OUTBOX_EVENTS: EventTable<OutboxEvent> = {
  CommandSent: { version: 1, message: messages.CommandSent, content: BODY },
  CommandReceived: { version: 1, message: messages.CommandReceived },
  CommandsAnswered: { version: 1, message: messages.CommandsAnswered },
};

interface In {
  receivedSeq: number;
  /** Kept until the origin has recorded them, so that a repeated delivery gets the same reply. */
  refused: Refusal[];
}

interface OutboxView {
  readonly out: readonly [Partition, { readonly lastSeq: number; readonly pending: readonly PendingCommand[] }][];
  readonly in: readonly [string, In][];
}

export class Outbox {
  private out = new Map<Partition, PendingCommands>();
  /** By the id of the origin's journal: one that was made anew counts from one again. */
  private in = new Map<string, In>();

  /** @throws RepriseError FOLD_DIVERGED for a sequence that does not follow */
  apply({ type, body }: OutboxEvent, commitSeq: number, content: ContentRef | undefined): void {
    switch (type) {
      case 'CommandSent':
        return this.sent(body, commitSeq, content);
      case 'CommandReceived':
        return this.received(body);
      case 'CommandsAnswered':
        return this.answered(body, commitSeq);
      default:
        return type satisfies never;
    }
  }

  nextSeq(to: Partition): number {
    return (this.out.get(to)?.lastSeq ?? 0) + 1;
  }

  /** How many commands to a partition are not answered yet. */
  underWay(to: Partition): number {
    return this.out.get(to)?.size ?? 0;
  }

  /** Not answered yet, in order, and no further than `seq`. */
  pendingUpTo(to: Partition, seq: number): readonly PendingCommand[] {
    return this.out.get(to)?.upTo(seq) ?? [];
  }

  /**
   * What may be delivered when everything up to `committedSeq` is acknowledged. Nothing while earlier answers are in a
   * commit that is not acknowledged: the first sequence of a delivery tells the destination that all answers before it
   * are recorded, and the destination then drops its refusals.
   */
  deliverable(to: Partition, committedSeq: number, most: number): readonly PendingCommand[] {
    const out = this.out.get(to);
    if (out === undefined || out.answeredCommitSeq > committedSeq) return [];
    return out.first(most).filter(({ commitSeq }) => commitSeq <= committedSeq);
  }

  /** Partitions with such commands. */
  get destinations(): readonly Partition[] {
    return [...this.out].filter(([, { size }]) => size > 0).map(([to]) => to);
  }

  /** The last sequence received from an origin. */
  receivedSeq(origin: string): number {
    return this.in.get(origin)?.receivedSeq ?? 0;
  }

  refused(origin: string): readonly Refusal[] {
    return this.in.get(origin)?.refused ?? [];
  }

  view(): object {
    const plain = ({ body: _, content, ...rest }: PendingCommand): object =>
      ({ ...rest, content: canonicalOf(content) });
    const out = [...this.out].map(([to, pending]) =>
      [to, { lastSeq: pending.lastSeq, pending: pending.first(pending.size).map(plain) }]);
    return { out, in: structuredClone([...this.in]) };
  }

  /** The bodies, in base64. */
  places(): object {
    const base64 = ({ body }: PendingCommand): string => Buffer.from(body).toString('base64');
    return [...this.out.values()].map((pending) => pending.first(pending.size).map(base64));
  }

  restore(view: object, places: object): void {
    const { out, in: received } = structuredClone(view) as OutboxView;
    const bodies = places as string[][];
    this.out = new Map(out.map(([to, { lastSeq, pending }], nth) => {
      const restored = pending.map((sent, at): PendingCommand =>
        ({ ...sent, body: Buffer.from(bodies[nth]?.[at] ?? '', 'base64'), content: refOf(sent.content) }));
      return [to, new PendingCommands(lastSeq, restored)];
    }));
    this.in = new Map(received);
  }

  private sent(of: Bodies['CommandSent'], commitSeq: number, content: ContentRef | undefined): void {
    const { to, seq, command, body, kind, id } = of;
    follows(`the command to partition ${to}`, seq, this.nextSeq(to as Partition));
    let out = this.out.get(to as Partition);
    if (out === undefined) this.out.set(to as Partition, (out = new PendingCommands()));
    out.add({ seq, command, body: body.slice(), kind, id, commitSeq, content });
  }

  private received({ origin, seq, settledSeq, code, message }: Bodies['CommandReceived']): void {
    follows(`the command from ${origin}`, seq, this.receivedSeq(origin) + 1);
    let received = this.in.get(origin);
    if (received === undefined) this.in.set(origin, (received = { receivedSeq: 0, refused: [] }));
    received.receivedSeq = seq;
    if (received.refused.length > 0) received.refused = received.refused.filter((each) => each.seq > settledSeq);
    if (code !== '') received.refused.push({ seq, code, message });
  }

  private answered({ to, upToSeq }: Bodies['CommandsAnswered'], commitSeq: number): void {
    const out = this.out.get(to as Partition);
    if (out === undefined || upToSeq > out.lastSeq) {
      const what = `command ${upToSeq} to partition ${to} is answered, but the last one is ${out?.lastSeq ?? 0}`;
      throw new RepriseError('FOLD_DIVERGED', what);
    }
    out.drop(upToSeq);
    out.answeredCommitSeq = commitSeq;
  }
}

function follows(what: string, seq: number, expectedSeq: number): void {
  if (seq === expectedSeq) return;
  throw new RepriseError('FOLD_DIVERGED', `${what} has sequence ${seq}, but ${expectedSeq} is next`);
}
