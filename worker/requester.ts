/**
 * Sends a worker's requests on the public subjects, with one inbox and one timer for all of them. The NATS client's own
 * `request` creates two errors with stacks, a timer and a race of promises per call, which took a tenth of the CPU that
 * a job costs in the worker.
 */
import { errors } from '@nats-io/nats-core';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { messageOf, type Code } from '../protocols/errors.js';
import type { Namespace } from '../protocols/ids.js';
import { subjects } from '../protocols/subjects.js';
import { readWireError } from '../protocols/wire-error.js';
import { inboxOf, onRefusal } from '../streams/connect.js';
import { Alarm } from './alarm.js';
import type { WorkerVerb, WireReply } from './wire.js';

const NO_RESPONDERS = 503;
const INTERNAL_ERROR = 500;

interface OpenRequest {
  readonly resolve: (reply: WireReply) => void;
  readonly dueMs: number;
}

export class Requester {
  private readonly inbox: string;
  private readonly timeouts: Alarm;
  /** By the last token of the reply subject. */
  private readonly open = new Map<string, OpenRequest>();
  private sent = 0;
  private denied: WireReply | undefined;

  constructor(
    private readonly connection: NatsConnection,
    private readonly namespace: Namespace,
    private readonly now: () => number,
  ) {
    this.inbox = inboxOf(connection);
    this.timeouts = new Alarm((nowMs) => this.expire(nowMs), now);
    connection.subscribe(`${this.inbox}.*`, {
      callback: (denied, message) => {
        if (denied) this.deny(`this user may not subscribe to replies: ${denied.message}`);
        else this.received(message);
      },
    });
    const ours = subjects.command(namespace, { noun: 'worker', verb: '' });
    onRefusal(connection, (refused) => {
      if (!(refused instanceof errors.PermissionViolationError) || refused.operation !== 'publish') return;
      if (refused.subject.startsWith(ours)) this.deny(`this user may not send requests to brokers: ${refused.message}`);
    });
  }

  request(verb: WorkerVerb, bytes: Uint8Array, timeoutMs: number): Promise<WireReply> {
    if (this.denied) return Promise.resolve(this.denied);
    return new Promise((resolve) => {
      const id = String((this.sent += 1));
      const dueMs = this.now() + timeoutMs;
      this.open.set(id, { resolve, dueMs });
      this.timeouts.by(dueMs);
      try {
        const subject = subjects.command(this.namespace, { noun: 'worker', verb });
        this.connection.publish(subject, bytes, { reply: `${this.inbox}.${id}` });
      } catch (cause) {
        this.settle(id, this.unsent(bytes, messageOf(cause)));
      }
    });
  }

  private unsent(bytes: Uint8Array, why: string): WireReply {
    const most = this.connection.info?.max_payload ?? Infinity;
    if (bytes.length <= most) return noReply('SERVER_UNREACHABLE', why);
    const message = `the request has ${bytes.length} bytes; the server's max_payload is ${most}`;
    return { refusal: { code: 'TOO_LARGE', message, retryable: false } };
  }

  /** Requests that are still open never resolve. */
  stop(): void {
    this.timeouts.stop();
  }

  /** The server's permissions forbid it, so trying again is no use. */
  private deny(message: string): void {
    const denied: WireReply = { refusal: { code: 'PERMISSION_DENIED', message, retryable: false } };
    this.denied = denied;
    for (const id of [...this.open.keys()]) this.settle(id, denied);
  }

  private received(message: Msg): void {
    this.settle(message.subject.slice(this.inbox.length + 1), readReply(message));
  }

  private settle(id: string, reply: WireReply): void {
    const request = this.open.get(id);
    if (request === undefined) return;
    this.open.delete(id);
    request.resolve(reply);
  }

  private expire(nowMs: number): number {
    let nextMs = Infinity;
    for (const [id, { dueMs }] of this.open) {
      if (dueMs <= nowMs) this.settle(id, noReply('TIMED_OUT', 'no reply came within the time-out'));
      else nextMs = Math.min(nextMs, dueMs);
    }
    return nextMs;
  }
}

const noReply = (code: Code, message: string): WireReply => ({ refusal: { code, message, retryable: true } });

function readReply({ data, headers }: Msg): WireReply {
  if (headers === undefined) return { data };
  if (headers.code === NO_RESPONDERS && data.length === 0) {
    return noReply('NO_BROKER', 'no broker serves this namespace on the server');
  }
  if (!headers.has('Nats-Service-Error')) return { data };
  const refusal = readWireError(data);
  if (refusal) return { refusal };
  // Not sent by one of our brokers. As in HTTP, 500 and above means that the other side failed.
  const retryable = Number(headers.get('Nats-Service-Error-Code')) >= INTERNAL_ERROR;
  return { refusal: { code: 'UNKNOWN', message: headers.get('Nats-Service-Error'), retryable } };
}
