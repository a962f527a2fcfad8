/**
 * A worker's requests over the public subjects, with one inbox and one timer for all. The client's own `request` makes two
 * errors with their stacks, a timer and a race of promises for each, which was a tenth of what a job cost here.
 */
import { errors } from '@nats-io/nats-core';
import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { Code } from '../protocols/errors.js';
import type { Namespace } from '../protocols/ids.js';
import { subjects } from '../protocols/subjects.js';
import { readWireError } from '../protocols/wire-error.js';
import { inboxOf, onRefusal } from '../streams/connect.js';
import { Alarm } from './alarm.js';
import type { Answer, WorkerVerb } from './wire.js';

const NO_RESPONDERS = 503;

interface Waiting {
  readonly resolve: (answer: Answer) => void;
  readonly dueMs: number;
}

export class Asker {
  readonly #connection: NatsConnection;
  readonly #namespace: Namespace;
  readonly #inbox: string;
  readonly #now: () => number;
  readonly #timeouts: Alarm;
  /** By the last part of the subject that the answer comes on. */
  readonly #waiting = new Map<string, Waiting>();
  #asked = 0;
  #denied: Answer | undefined;

  constructor(connection: NatsConnection, namespace: Namespace, now: () => number) {
    this.#connection = connection;
    this.#namespace = namespace;
    this.#now = now;
    this.#inbox = inboxOf(connection);
    this.#timeouts = new Alarm((nowMs) => this.#expire(nowMs), now);
    connection.subscribe(`${this.#inbox}.*`, {
      callback: (denied, message) => (denied ? this.#deny(`no answer can be heard: ${denied.message}`) : this.#heard(message)),
    });
    const ours = subjects.command(namespace, { noun: 'worker', verb: '' });
    onRefusal(connection, (refused) => {
      const asking = refused instanceof errors.PermissionViolationError && refused.operation === 'publish' && refused.subject.startsWith(ours);
      if (asking) this.#deny(`brokers cannot be asked: ${refused.message}`);
    });
  }

  ask(verb: WorkerVerb, request: Uint8Array, timeoutMs: number): Promise<Answer> {
    if (this.#denied) return Promise.resolve(this.#denied);
    return new Promise((resolve) => {
      const number = String((this.#asked += 1));
      const dueMs = this.#now() + timeoutMs;
      this.#waiting.set(number, { resolve, dueMs });
      this.#timeouts.by(dueMs);
      try {
        this.#connection.publish(subjects.command(this.#namespace, { noun: 'worker', verb }), request, { reply: `${this.#inbox}.${number}` });
      } catch (cause) {
        this.#end(number, this.#unsent(request, cause instanceof Error ? cause.message : String(cause)));
      }
    });
  }

  #unsent(request: Uint8Array, why: string): Answer {
    const most = this.#connection.info?.max_payload ?? Infinity;
    if (request.length <= most) return unheard('SERVER_UNREACHABLE', why);
    return { refusal: { code: 'TOO_LARGE', message: `the request has ${request.length} bytes; the server takes ${most}`, retryable: false } };
  }

  /** What is still asked stays unanswered. */
  stop(): void {
    this.#timeouts.stop();
  }

  /** The server does not let this user ask or listen, and will not on another try. */
  #deny(message: string): void {
    const denied: Answer = { refusal: { code: 'PERMISSION_DENIED', message, retryable: false } };
    this.#denied = denied;
    for (const number of [...this.#waiting.keys()]) this.#end(number, denied);
  }

  #heard(message: Msg): void {
    this.#end(message.subject.slice(this.#inbox.length + 1), answerOf(message));
  }

  #end(number: string, answer: Answer): void {
    const waiting = this.#waiting.get(number);
    if (waiting === undefined) return;
    this.#waiting.delete(number);
    waiting.resolve(answer);
  }

  #expire(nowMs: number): number {
    let nextMs = Infinity;
    for (const [number, { dueMs }] of this.#waiting) {
      if (dueMs <= nowMs) this.#end(number, unheard('TIMED_OUT', 'no answer in time'));
      else nextMs = Math.min(nextMs, dueMs);
    }
    return nextMs;
  }
}

const unheard = (code: Code, message: string): Answer => ({ refusal: { code, message, retryable: true } });

function answerOf({ data, headers }: Msg): Answer {
  if (headers === undefined) return { data };
  if (headers.code === NO_RESPONDERS && data.length === 0) return unheard('NO_BROKER', 'no broker answers on this server');
  if (!headers.has('Nats-Service-Error')) return { data };
  const refusal = readWireError(data);
  if (refusal) return { refusal };
  // Not one of our brokers, then; its number says whose fault it was.
  return { refusal: { code: 'UNKNOWN', message: headers.get('Nats-Service-Error'), retryable: Number(headers.get('Nats-Service-Error-Code')) >= 500 } };
}
