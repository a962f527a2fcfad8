/**
 * Replies. A command decides an answer, which is a value; the reply is the message that is made of it when the commit
 * that it depends on is acknowledged. Payloads and results come from the cache of recent commits. Older ones are read
 * from the journal, and the reply is sent when they have been read.
 */
import {
  ERRORS, isCode, messageOf, reject, RepriseError, type ForeignRejection, type Rejection,
} from '../protocols/errors.js';
import type { JobId } from '../protocols/ids.js';
import type { job as jobs } from '../protocols/messages.js';
import type { Taken } from '../streams/snapshots/store.js';
import type { Archive } from './job/archive.js';
import type { Kind, Role } from './kind.js';

/** Where the reply to a request goes. Opaque to the core: the gateway makes it and sends the reply. */
export interface ReplyTo {
  readonly replyTo: 'replyTo';
}

/** A command's reply message, before it becomes JSON or protobuf, or why it was refused. */
export type Reply =
  | { readonly message: object; readonly refused?: undefined }
  | { readonly refused: Rejection | ForeignRejection; readonly message?: undefined };

/** A {@link ReplyTo} as its gateway made it. It takes one reply. */
export interface ReplyReceiver extends ReplyTo {
  reply(reply: Reply): void;
}

export const sendReply = (to: ReplyTo, reply: Reply): void => (to as ReplyReceiver).reply(reply);

/** Content by its position in the journal: `get` if its commit is cached, otherwise `load`. */
export interface Contents {
  get(seq: number, index: number): Uint8Array | undefined;
  load(seq: number, index: number): Promise<Uint8Array>;
}

export interface Releasing {
  readonly bytes: Contents;
  readonly archive: Archive;
  /** The journal's head that the reply depends on. */
  readonly position: jobs.Position.$Properties;
  /** Monotonic clock, milliseconds. */
  readonly monoMs: number;
  /** The state as it is now, which may be later than that of the decision. */
  read<R extends Role>(kind: Kind<R>): R['reading'];
  live<R extends Role>(kind: Kind<R>): R['live'];
  /** A worker does not get a lease of this job, because the payload cannot be read. */
  onWithheld(id: JobId, why: string): void;
  /** Of the partition, at the end of the next commit, or now if none is being written. Never rejects. */
  takeSnapshot(): Promise<Taken>;
}

export type Sooner<T> = T | Promise<T>;
export const isLater = <T>(value: Sooner<T>): value is Promise<T> => value instanceof Promise;

/** Makes the reply, which may be a refusal, of an answer. */
export type ReplyOf<A> = (answer: A, releasing: Releasing) => Sooner<Reply>;

export const message = (of: object): Reply => ({ message: of });
export const refused = (rejection: Rejection | ForeignRejection): Reply => ({ refused: rejection });

/** The refusal if a reply cannot be made: with the code of the error, which says more than `UNKNOWN`. */
export function unreadable(error: unknown): Rejection {
  if (error instanceof RepriseError && isRefusal(error.code)) return reject(error.code, error.message);
  return reject('UNKNOWN', `the journal could not be read: ${messageOf(error)}`);
}

const isRefusal = (code: string): code is Rejection['code'] => isCode(code) && ERRORS[code].kind !== 'failure';
