/**
 * Commands under way to other partitions, and how far those of others have come in. Folded from events of the partition
 * itself, so both survive a change of leader. Sequences count per pair of origin and destination: what was received
 * already is told by one number.
 */
import type { ActorEvent, EventTable } from '../../actors/kind.js';
import type { Partition } from '../../protocols/ids.js';
import { outbox as messages } from '../../protocols/messages.js';

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
  /** Position of the commit that it was sent in. Until that one is acknowledged, it does not go out. */
  readonly commitSeq: number;
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
export type OutboxEvent = ActorEvent & { [T in keyof Bodies]: { readonly type: T; readonly body: Bodies[T] } }[keyof Bodies];

export const OUTBOX_EVENTS: EventTable<OutboxEvent> = {
  CommandSent: { version: 1, message: messages.CommandSent },
  CommandReceived: { version: 1, message: messages.CommandReceived },
  CommandsAnswered: { version: 1, message: messages.CommandsAnswered },
};

interface Out {
  lastSeq: number;
  pending: PendingCommand[];
}

interface In {
  receivedSeq: number;
  /** Kept until the origin says that it has recorded them, so that a delivery that is repeated gets the same answer. */
  refused: Refusal[];
}

export interface OutboxView {
  readonly out: readonly [Partition, Out][];
  readonly in: readonly [string, In][];
}

export class Outbox {
  private out = new Map<Partition, Out>();
  /** By the id of the origin's journal: one that was made anew counts from one again. */
  private in = new Map<string, In>();

  apply({ type, body }: OutboxEvent, commitSeq: number): void {
    switch (type) {
      case 'CommandSent':
        return this.sent(body, commitSeq);
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

  /** Not answered yet, in order. */
  pending(to: Partition): readonly PendingCommand[] {
    return this.out.get(to)?.pending ?? [];
  }

  /** Partitions that commands are under way to. */
  get destinations(): readonly Partition[] {
    return [...this.out].filter(([, { pending }]) => pending.length > 0).map(([to]) => to);
  }

  /** How far the commands of an origin have been received here. */
  receivedSeq(origin: string): number {
    return this.in.get(origin)?.receivedSeq ?? 0;
  }

  refused(origin: string): readonly Refusal[] {
    return this.in.get(origin)?.refused ?? [];
  }

  view(): object {
    const plain = ({ body, ...rest }: PendingCommand): object => ({ ...rest, body: Buffer.from(body).toString('base64') });
    const out = [...this.out].map(([to, { lastSeq, pending }]) => [to, { lastSeq, pending: pending.map(plain) }]);
    return { out, in: structuredClone([...this.in]) };
  }

  restore(view: object): void {
    const { out, in: received } = structuredClone(view) as OutboxView;
    const decoded = (sent: PendingCommand): PendingCommand => ({ ...sent, body: Buffer.from(String(sent.body), 'base64') });
    this.out = new Map(out.map(([to, { lastSeq, pending }]) => [to, { lastSeq, pending: pending.map(decoded) }]));
    this.in = new Map(received);
  }

  private sent({ to, seq, command, body, kind, id }: Bodies['CommandSent'], commitSeq: number): void {
    let out = this.out.get(to as Partition);
    if (out === undefined) this.out.set(to as Partition, (out = { lastSeq: 0, pending: [] }));
    out.lastSeq = seq;
    out.pending.push({ seq, command, body: body.slice(), kind, id, commitSeq });
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
