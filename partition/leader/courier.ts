/**
 * Delivers commands to the leaders of other partitions: one request at a time to each, in order, repeated until it is
 * answered. Only what is committed is delivered. A courier ends with its leader; the outbox is in the journal.
 */
import { outbox as messages } from '../../protocols/messages.js';
import type { Partition } from '../../protocols/ids.js';
import { DELIVERY_COMMANDS } from '../core/deliveries.js';
import type { Outbox, Refusal } from '../core/outbox.js';
import type { PendingCommand } from '../core/pending.js';
import { SILENT_MS, type Undelivered } from './undelivered.js';

/** Sends the request to the leader of a partition. Rejects if there was no reply. */
export type Deliver = (to: Partition, delivery: Uint8Array) => Promise<Uint8Array>;

export interface CourierOptions {
  readonly partition: Partition;
  readonly outbox: Outbox;
  readonly deliver: Deliver;
  /** Of a request. What fits into a commit fits into a request as well. */
  readonly maxBytes: number;
  monoMs(): number;
  /** Id of this partition's journal. */
  origin(): string;
  /** Position of the last acknowledged commit. */
  committedSeq(): number;
  settle(to: Partition, upToSeq: number, refused: readonly Refusal[]): void;
  /** Called at once for what a retry cannot change, after 10 seconds for silence, and then once a minute. */
  onUndelivered(undelivered: Undelivered): void;
}

/** A command's name, its actor, and the fields around them. */
const COMMAND_BYTES = 512;
const FIRST_WAIT_MS = 50;
const LAST_WAIT_MS = 1_000;
const LOG_EVERY_MS = 60_000;

/** A destination whose latest request failed. */
interface Failing {
  waitMs: number;
  /** When it is logged again. */
  logAtMonoMs: number;
  loggedWhy?: Undelivered['why'];
  /** For a destination that is ahead: the last command that had been sent when it was first seen. */
  lastSeq?: number;
}

export class Courier {
  private readonly busy = new Set<Partition>();
  private readonly failing = new Map<Partition, Failing>();
  private readonly timers = new Set<NodeJS.Timeout>();
  private ended = false;

  constructor(private readonly options: CourierOptions) {}

  /** To be called after every commit, and when leadership begins. */
  run(): void {
    if (this.ended) return;
    for (const to of this.options.outbox.destinations) if (!this.busy.has(to)) void this.deliver(to);
  }

  end(): void {
    this.ended = true;
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  private async deliver(to: Partition): Promise<void> {
    const commands = this.next(to);
    if (commands.length === 0) return;
    this.busy.add(to);
    const undelivered = await this.request(to, commands).catch((error: unknown): Undelivered =>
      ({ to, why: 'unanswered', firstSeq: commands[0]!.seq, message: String(error) }));
    if (this.ended) return;
    this.busy.delete(to);
    if (undelivered) this.again(undelivered);
    else this.failing.delete(to);
  }

  private async request(to: Partition, commands: readonly PendingCommand[]): Promise<Undelivered | undefined> {
    const { outbox, deliver, settle } = this.options;
    const lastSeq = this.failing.get(to)?.lastSeq ?? outbox.nextSeq(to) - 1;
    const reply = messages.DeliveryReply.decode(await deliver(to, this.encode(commands)));
    if (this.ended) return undefined;
    const { receivedSeq } = reply;
    const [firstSeq, lastSent] = [commands[0]!.seq, commands.at(-1)!.seq];
    if (receivedSeq < firstSeq - 1) return { to, why: 'lost', firstSeq, receivedSeq };
    if (receivedSeq > lastSeq) {
      this.failingOf(to).lastSeq = lastSeq;
      return { to, why: 'ahead', firstSeq, receivedSeq };
    }
    if (receivedSeq < firstSeq) return { to, why: 'unanswered', firstSeq, receivedSeq };
    settle(to, Math.min(receivedSeq, lastSent), reply.refused as Refusal[]);
    return undefined;
  }

  private next(to: Partition): readonly PendingCommand[] {
    const { outbox, maxBytes, committedSeq } = this.options;
    const next = outbox.deliverable(to, committedSeq(), DELIVERY_COMMANDS);
    let bytes = 0;
    const tooMany = next.findIndex(({ body }, nth) => (bytes += body.length + COMMAND_BYTES) > maxBytes && nth > 0);
    return tooMany < 0 ? next : next.slice(0, tooMany);
  }

  private encode(commands: readonly PendingCommand[]): Uint8Array {
    const { partition: from, origin } = this.options;
    const sent = commands.map(({ command, body, kind, id }) => ({ command, body, by: `${kind}/${id}` }));
    return messages.Delivery.encode({ origin: origin(), from, firstSeq: commands[0]!.seq, commands: sent }).finish();
  }

  private again(undelivered: Undelivered): void {
    const { to, why } = undelivered;
    const failing = this.failingOf(to);
    const nowMs = this.options.monoMs();
    const isSilence = why === 'unanswered';
    if (nowMs >= failing.logAtMonoMs || (!isSilence && failing.loggedWhy !== why)) {
      failing.logAtMonoMs = nowMs + LOG_EVERY_MS;
      failing.loggedWhy = why;
      this.options.onUndelivered(undelivered);
    }
    this.busy.add(to);
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      this.busy.delete(to);
      void this.deliver(to);
    }, failing.waitMs);
    failing.waitMs = Math.min(LAST_WAIT_MS, failing.waitMs * 2);
    this.timers.add(timer);
  }

  private failingOf(to: Partition): Failing {
    let failing = this.failing.get(to);
    if (failing === undefined) {
      failing = { waitMs: FIRST_WAIT_MS, logAtMonoMs: this.options.monoMs() + SILENT_MS };
      this.failing.set(to, failing);
    }
    return failing;
  }
}
