/**
 * Delivers commands to the leaders of other partitions: one request at a time to each, in order, repeated until there
 * is a reply. Only committed commands are sent. The courier ends with its leader; the outbox is in the journal.
 */
import type { Outbox, PendingCommand, Refusal } from '../core/outbox.js';
import { outbox as messages } from '../../protocols/messages.js';
import type { Partition } from '../../protocols/ids.js';

/** Sends the request to the leader of a partition. Rejects if there was no reply. */
export type Deliver = (to: Partition, delivery: Uint8Array) => Promise<Uint8Array>;

export interface CourierOptions {
  readonly partition: Partition;
  readonly outbox: Outbox;
  readonly deliver: Deliver;
  /** Id of this partition's journal. */
  origin(): string;
  /** Position of the last acknowledged commit. */
  committedSeq(): number;
  settle(to: Partition, receivedSeq: number, refused: readonly Refusal[]): void;
}

/** Limits of one request. */
const MOST_COMMANDS = 100;
const MOST_BYTES = 400_000;
const FIRST_WAIT_MS = 50;
const LAST_WAIT_MS = 1_000;

export class Courier {
  private readonly busy = new Set<Partition>();
  private readonly waits = new Map<Partition, number>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private ended = false;

  constructor(private readonly options: CourierOptions) {}

  /** To be called after every commit, and when leadership begins. */
  run(): void {
    for (const to of this.options.outbox.destinations) if (!this.busy.has(to)) void this.deliver(to);
  }

  end(): void {
    this.ended = true;
    for (const timer of this.timers) clearTimeout(timer);
  }

  private async deliver(to: Partition): Promise<void> {
    const commands = this.next(to);
    if (commands.length === 0) return;
    this.busy.add(to);
    try {
      const reply = messages.DeliveryReply.decode(await this.options.deliver(to, this.encode(commands)));
      this.waits.delete(to);
      this.busy.delete(to);
      if (this.ended) return;
      this.options.settle(to, reply.receivedSeq, reply.refused as Refusal[]);
      // Nothing was received: earlier commands are missing at the destination, or its journal lost them.
      if (reply.receivedSeq < commands[0]!.seq) this.again(to);
    } catch {
      this.busy.delete(to);
      if (!this.ended) this.again(to);
    }
  }

  private next(to: Partition): PendingCommand[] {
    const committed = this.options.committedSeq();
    const next: PendingCommand[] = [];
    let bytes = 0;
    for (const command of this.options.outbox.pending(to)) {
      bytes += command.body.length;
      if (command.commitSeq > committed || next.length === MOST_COMMANDS) break;
      if (next.length > 0 && bytes > MOST_BYTES) break;
      next.push(command);
    }
    return next;
  }

  private encode(commands: readonly PendingCommand[]): Uint8Array {
    const { partition: from, origin } = this.options;
    const sent = commands.map(({ command, body, kind, id }) => ({ command, body, by: `${kind}/${id}` }));
    return messages.Delivery.encode({ origin: origin(), from, firstSeq: commands[0]!.seq, commands: sent }).finish();
  }

  private again(to: Partition): void {
    const waitMs = Math.min(LAST_WAIT_MS, (this.waits.get(to) ?? FIRST_WAIT_MS / 2) * 2);
    this.waits.set(to, waitMs);
    this.busy.add(to);
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.busy.delete(to);
      void this.deliver(to);
    }, waitMs);
    this.timers.add(timer);
  }
}
