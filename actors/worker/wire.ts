/** The worker's requests over the public subjects. Whatever goes wrong with one comes back as a value. */
import { errors, type Msg, type NatsConnection } from '@nats-io/transport-node';
import type { Code } from '../../protocols/errors.js';
import type { Namespace } from '../../protocols/ids.js';
import { error, worker } from '../../protocols/messages.js';
import { subjects, type WorkerVerb } from '../../protocols/subjects.js';

export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly retryable: boolean;
}
export type Answer = { readonly data: Uint8Array; readonly refusal?: undefined } | { readonly data?: undefined; readonly refusal: Refusal };
export type Ask = (verb: WorkerVerb, request: Uint8Array, timeoutMs: number) => Promise<Answer>;

/** As decoded: a lease has every field, absent ones by the prototype's defaults. */
export interface Reply {
  readonly epoch: number;
  readonly leases: readonly worker.Lease[];
  readonly cancel: readonly string[];
  readonly revoked: readonly string[];
  readonly rejected: readonly worker.RejectedReport.$Properties[];
}

export function asker(connection: NatsConnection, namespace: Namespace): Ask {
  return async (verb, request, timeoutMs) => {
    try {
      return answerOf(await connection.request(subjects.worker(namespace, verb), request, { timeout: timeoutMs }));
    } catch (cause) {
      return { refusal: refusalOf(cause) };
    }
  };
}

/** An answer that cannot be read is like none. */
export function readReply(data: Uint8Array): Reply | Refusal {
  try {
    return worker.PullReply.decode(data) as unknown as Reply;
  } catch (cause) {
    return { code: 'MALFORMED', message: `the reply cannot be decoded: ${String(cause)}`, retryable: true };
  }
}

export const isRefusal = (reply: Reply | Refusal): reply is Refusal => 'code' in reply;

function answerOf(message: Msg): Answer {
  const { headers } = message;
  if (!headers?.has('Nats-Service-Error')) return { data: message.data };
  const { code, message: text, retryable } = error.Error.decode(message.data) as error.Error;
  if (code !== '') return { refusal: { code, message: text, retryable } };
  // Not one of our brokers, then; its number says whose fault it was.
  return { refusal: { code: 'UNKNOWN', message: headers.get('Nats-Service-Error'), retryable: Number(headers.get('Nats-Service-Error-Code')) >= 500 } };
}

function refusalOf(cause: unknown): Refusal {
  const missing = cause instanceof errors.RequestError && cause.isNoResponders();
  const late = cause instanceof errors.TimeoutError;
  const code: Code = missing || cause instanceof errors.NoRespondersError ? 'NO_BROKER' : late ? 'TIMED_OUT' : 'SERVER_UNREACHABLE';
  return { code, message: cause instanceof Error ? cause.message : String(cause), retryable: true };
}
