/** Sends several requests in one message. Each is settled when its own reply is there. */
import { errors, type Msg, type MsgHdrs, type NatsConnection } from '@nats-io/nats-core';
import { encoded } from '../protocols/encoded.js';
import { bundle } from '../protocols/messages.js';
import { tryRead } from '../protocols/try-read.js';
import { inboxOf } from '../streams/connect.js';
import type { Call } from './gathering.js';
import { refusalOf } from './replies.js';

const NO_RESPONDERS = 503;

/** The calls of one message that have no reply yet, by their places in it. */
interface Open {
  readonly subject: string;
  readonly calls: Map<number, { readonly call: Call; readonly timer: NodeJS.Timeout }>;
}

export class Bundles {
  private readonly open = new Map<string, Open>();
  private inbox: string | undefined;
  private sent = 0;

  /**
   * @param headers of every message
   * @param refusedAll settles the calls of a message that was refused as a whole: nothing of it was done
   */
  constructor(
    private readonly nc: NatsConnection,
    private readonly headers: MsgHdrs,
    private readonly refusedAll: (message: Msg, calls: readonly Call[]) => void,
  ) {
    void nc.closed().then(() => this.closed());
  }

  /** @param calls of one subject */
  send(calls: readonly Call[]): void {
    const { subject } = calls[0]!;
    const id = String(this.sent++);
    const open: Open = { subject, calls: new Map() };
    this.open.set(id, open);
    calls.forEach((call, nth) => {
      const timer = setTimeout(() => this.settle(id, nth)?.reject(new errors.TimeoutError()), call.timeoutMs);
      open.calls.set(nth, { call, timer });
    });
    try {
      const data = encoded(bundle.Bundle, { requests: calls.map((call, nth) => ({ nth, data: call.data })) });
      this.nc.publish(subject, data, { headers: this.headers, reply: `${this.subscribed()}.${id}` });
    } catch (cause) {
      for (const call of this.settleAll(id)) call.reject(cause);
    }
  }

  private subscribed(): string {
    if (this.inbox !== undefined) return this.inbox;
    this.inbox = inboxOf(this.nc);
    const callback = (cause: Error | null, message: Msg): void => (cause ? undefined : this.received(message));
    this.nc.subscribe(`${this.inbox}.*`, { callback });
    return this.inbox;
  }

  private received(message: Msg): void {
    const id = message.subject.slice(this.inbox!.length + 1);
    const open = this.open.get(id);
    if (open === undefined) return;
    if (message.data.length === 0 && message.headers?.code === NO_RESPONDERS) {
      for (const call of this.settleAll(id)) call.reject(new errors.NoRespondersError(open.subject));
      return;
    }
    if (message.headers?.has('Nats-Service-Error')) return this.refusedAll(message, this.settleAll(id));
    // A reply that cannot be read is none: its calls time out.
    for (const { nth, data, refused } of tryRead(() => bundle.BundleReplies.decode(message.data))?.replies ?? []) {
      const call = this.settle(id, nth ?? 0);
      if (refused) call?.reject(refusalOf(data ?? new Uint8Array(0)));
      else call?.resolve(data ?? new Uint8Array(0));
    }
  }

  /** @returns the call, if it was open */
  private settle(id: string, nth: number): Call | undefined {
    const open = this.open.get(id);
    const settled = open?.calls.get(nth);
    if (open === undefined || settled === undefined) return undefined;
    clearTimeout(settled.timer);
    open.calls.delete(nth);
    if (open.calls.size === 0) this.open.delete(id);
    return settled.call;
  }

  private settleAll(id: string): Call[] {
    return [...(this.open.get(id)?.calls.keys() ?? [])].flatMap((nth) => this.settle(id, nth) ?? []);
  }

  private closed(): void {
    for (const id of [...this.open.keys()]) {
      for (const call of this.settleAll(id)) call.reject(new errors.ClosedConnectionError());
    }
  }
}
