/** A worker's requests and what comes back: an answer, or why there is none, as a value. */
import type { VerbOf } from '../actors/commands.js';
import { worker } from '../protocols/messages.js';

export type WorkerVerb = VerbOf<'worker'>;

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

/** An answer that cannot be read is like none. */
export function readReply(data: Uint8Array): Reply | Refusal {
  try {
    return worker.PullReply.decode(data) as unknown as Reply;
  } catch (cause) {
    return { code: 'MALFORMED', message: `the reply cannot be decoded: ${String(cause)}`, retryable: true };
  }
}

/** The leader does not know the session, or does not accept its proof: the worker is to register (again). */
export const isUnknown = ({ code }: Refusal): boolean => code === 'UNKNOWN_WORKER' || code === 'SESSION_UNPROVED';

export const isRefusal = (reply: Reply | Refusal): reply is Refusal => 'code' in reply;
