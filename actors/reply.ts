/**
 * Replies: made from an answer when the commit that it depends on is acknowledged. Payloads and results come from the
 * cache of recent commits; only what is older is read back from the journal, and then the reply waits for that alone.
 */
import type { ForeignRejection, Rejection } from '../protocols/errors.js';
import type { job as jobs } from '../protocols/messages.js';
import type { Archive } from './job/archive.js';
import type { Kind, Role } from './kind.js';

/** The sender of a request. Opaque to the core: the gateway made it and takes the reply. */
export interface Asker {
  readonly asker: 'asker';
}

/** A command's reply message, before it becomes JSON or protobuf, or why it was refused. */
export type Reply =
  | { readonly message: object; readonly refused?: undefined }
  | { readonly refused: Rejection | ForeignRejection; readonly message?: undefined };

/** An asker that can be answered, once. */
export interface Answerable extends Asker {
  answer(reply: Reply): void;
}

export const answer = (to: Asker, reply: Reply): void => (to as Answerable).answer(reply);

/** Content by its place in the journal: at once when the commit is at hand. */
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
  live<R extends Role>(kind: Kind<R>): R['live'];
}

export type Sooner<T> = T | Promise<T>;
export const isLater = <T>(value: Sooner<T>): value is Promise<T> => value instanceof Promise;

/** How an answer becomes the message of a reply, or a rejection. */
export type ReplyOf<A> = (answer: A, releasing: Releasing) => Sooner<Reply>;

export const message = (of: object): Reply => ({ message: of });
export const refused = (rejection: Rejection | ForeignRejection): Reply => ({ refused: rejection });
