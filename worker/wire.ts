/** A worker's requests and their replies. A refusal is a value, not an exception. */
import type { VerbOf } from '../actors/commands.js';
import { messageOf, type WireError } from '../protocols/errors.js';
import { worker } from '../protocols/messages.js';

export type WorkerVerb = VerbOf<'worker'>;

/** Why a request has no result: a broker refused it, or no reply came that can be read. */
export type RequestError = Omit<WireError, 'hint'>;

/** A reply as it came from the wire, or why there is none. */
export type WireReply =
  | { readonly data: Uint8Array; readonly refusal?: undefined }
  | { readonly data?: undefined; readonly refusal: RequestError };
export type SendRequest = (verb: WorkerVerb, request: Uint8Array, timeoutMs: number) => Promise<WireReply>;

/** The reply to a pull, a report or a heartbeat, as decoded: absent fields have the defaults of the prototype. */
export interface PullReply {
  readonly epoch: number;
  readonly leases: readonly worker.Lease[];
  readonly cancel: readonly string[];
  readonly revoked: readonly string[];
  readonly rejected: readonly worker.RejectedReport.$Properties[];
  readonly drain: boolean;
}

/** A reply that cannot be decoded counts as no reply. */
export function readPullReply(data: Uint8Array): PullReply | RequestError {
  try {
    return worker.PullReply.decode(data) as unknown as PullReply;
  } catch (cause) {
    return { code: 'MALFORMED', message: `the reply cannot be decoded: ${messageOf(cause)}`, retryable: true };
  }
}

/** The leader does not know the session, or does not accept its proof: the worker has to register again. */
export const isUnknown = ({ code }: RequestError): boolean => code === 'UNKNOWN_WORKER' || code === 'SESSION_UNPROVED';

export const isRequestError = (reply: PullReply | RequestError): reply is RequestError => 'code' in reply;
