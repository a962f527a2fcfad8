/**
 * Commands that were sent to other partitions and not yet recorded there, and the last sequence received from each
 * other partition. Both are folded from the partition's own events, so they survive a change of leader. Sequences count
 * per pair of origin and destination, so one number for each origin is enough for deduplication.
 */
import type { ActorEvent, BodyContent, EventTable } from '../../actors/kind.js';
import type { Partition } from '../../protocols/ids.js';
import { outbox as messages } from '../../protocols/messages.js';
import type { ContentRef } from '../../streams/content.js';

/** An actor's command to another partition. */
export interface SentCommand {
  readonly seq: number;
  /** `<noun>.<verb>` */
  readonly command: string;
  readonly body: Uint8Array;
  /** The actor that sent it. */
  readonly kind: string;
  readonly id: string;
}

export interface PendingCommand extends SentCommand {
  /** Position of the commit that records it. It is sent when that commit is acknowledged. */
  readonly commitSeq: number;
  /** Of the body. */
  readonly content: ContentRef | undefined;
}

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
export type OutboxEvent =
  ActorEvent & { [T in keyof Bodies]: { readonly type: T; readonly body: Bodies[T] } }[keyof Bodies];

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

interface Out {
  lastSeq: number;
  pending: PendingCommand[];
}

interface In {
  receivedSeq: number;
  /** Kept until the origin has recorded them, so that a repeated delivery gets the same reply. */
  refused: Refusal[];
}

export interface OutboxView {
  readonly out: readonly [Partition, Out][];
  readonly in: readonly [string, In][];
}

export class Outbox {
  private out = new Map<Partition, Out>();
  /** By the id of the origin's journal: a new journal counts from one again. */
  private in = new Map<string, In>();

  apply({ type, body }: OutboxEvent, commitSeq: number, content: ContentRef | undefined): void {
    switch (type) {
      case 'CommandSent':
        return this.sent(body, commitSeq, content);
      case 'CommandReceived':
        return this.received(body);
      case 'CommandsAnswered':
        return this.answered(body);
      default:
        return type satisfies never;
    }
  }

  nextSeq(to: Partition): number {
    return (this.out.get(to)?.lastSeq ?? 0) + 1;
  }

  /** Commands that the destination has not recorded yet, in order. */
  pending(to: Partition): readonly PendingCommand[] {
    return this.out.get(to)?.pending ?? [];
  }

  /** Partitions with such commands. */
  get destinations(): readonly Partition[] {
    return [...this.out].filter(([, { pending }]) => pending.length > 0).map(([to]) => to);
  }

  /** The last sequence received from an origin. */
  receivedSeq(origin: string): number {
    return this.in.get(origin)?.receivedSeq ?? 0;
  }

  refused(origin: string): readonly Refusal[] {
    return this.in.get(origin)?.refused ?? [];
  }

  view(): object {
    const plain = ({ body: _, content, ...rest }: PendingCommand): object => ({
      ...rest, content: content && { hash: Buffer.from(content.hash, 'latin1').toString('hex'), size: content.size },
    });
    const out = [...this.out].map(([to, { lastSeq, pending }]) => [to, { lastSeq, pending: pending.map(plain) }]);
    return { out, in: structuredClone([...this.in]) };
  }

  /** The bodies, in base64. */
  places(): object {
    return [...this.out].map(([, { pending }]) => pending.map(({ body }) => Buffer.from(body).toString('base64')));
  }

  restore(view: object, places: object): void {
    const { out, in: received } = structuredClone(view) as OutboxView;
    const bodies = places as string[][];
    this.out = new Map(out.map(([to, { lastSeq, pending }], nth) => {
      const restored = pending.map((sent, at): PendingCommand => {
        const { content } = sent;
        const ref = content && { hash: Buffer.from(content.hash, 'hex').toString('latin1'), size: content.size };
        return { ...sent, body: Buffer.from(bodies[nth]?.[at] ?? '', 'base64'), content: ref };
      });
      return [to, { lastSeq, pending: restored }];
    }));
    this.in = new Map(received);
  }

  private sent(of: Bodies['CommandSent'], commitSeq: number, content: ContentRef | undefined): void {
    const { to, seq, command, body, kind, id } = of;
    let out = this.out.get(to as Partition);
    if (out === undefined) this.out.set(to as Partition, (out = { lastSeq: 0, pending: [] }));
    out.lastSeq = seq;
    out.pending.push({ seq, command, body: body.slice(), kind, id, commitSeq, content });
  }

  private received({ origin, seq, settledSeq, code, message }: Bodies['CommandReceived']): void {
    let received = this.in.get(origin);
    if (received === undefined) this.in.set(origin, (received = { receivedSeq: 0, refused: [] }));
    received.receivedSeq = seq;
    if (received.refused.length > 0) received.refused = received.refused.filter((each) => each.seq > settledSeq);
    if (code !== '') received.refused.push({ seq, code, message });
  }

  private answered({ to, upToSeq }: Bodies['CommandsAnswered']): void {
    const out = this.out.get(to as Partition);
    if (out) out.pending = out.pending.filter(({ seq }) => seq > upToSeq);
  }
}
