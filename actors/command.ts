/**
 * A command of clients or workers. Each is one file, `actors/<kind>/commands/<verb>.ts`, which exports one value of
 * {@link Command}, and one line in commands.ts. Subjects, endpoints, codecs, routing, forwarding between brokers and
 * the table in docs/protocol.md are derived from the list.
 */
import type protobuf from 'protobufjs/minimal.js';
import type { z } from 'zod';
import type { ForeignRejection, Rejection, RejectionCode } from '../protocols/errors.js';
import type { JobId, Partition } from '../protocols/ids.js';
import type { Identity } from '../protocols/proofs.js';
import type { Releasing, ReplyTo, Reply } from './reply.js';
import type { Step } from './step.js';

/** A class of the generated code. */
export interface MessageType {
  create(properties?: object): object;
  encode(message: object, writer?: protobuf.Writer): protobuf.Writer;
  decode(bytes: protobuf.Reader | Uint8Array): object;
}

/** Inputs of a check beside the message. */
export interface Context {
  readonly partitions: number;
  /** Wall clock, Unix milliseconds. */
  readonly nowMs: number;
  /** Of the session that was drawn or proved; undefined for a command without one. */
  readonly identity: Identity | undefined;
  drawJobId(partition: Partition): JobId;
}

/** The origin of a command, and where its reply goes. */
export interface From {
  readonly to: ReplyTo;
  /** The principal as the client claims it; empty if it claims none. */
  readonly by: string;
}

/** What can be read before a decision. */
export type Reading = Pick<Releasing, 'read' | 'bytes' | 'archive'>;

/** Which partitions a request goes to. */
export type Routing<Request extends object = object, Checked extends object = object> =
  | ToOne<Checked>
  | ToAll<Request, Checked>
  | Split<Request, Checked>;

export interface ToOne<Checked extends object = object> {
  readonly to: 'one';
  partitionOf(checked: Checked, partitions: number): Partition;
}

/** Every partition gets the whole request, and their replies become one. */
export interface ToAll<Request extends object = object, Checked extends object = object> {
  readonly to: 'all';
  /** The request as it is sent to other brokers. */
  forwarded(message: Request, context: Context): object;
  /** @param replies of all partitions, in their order */
  merge(replies: readonly Reply[], checked: Checked): Reply;
}

/** A list whose entries belong to different partitions. Each gets its part, and the replies are joined in order. */
export interface Split<Request extends object = object, Checked extends object = object> {
  readonly to: 'split';
  /** The places of the entries by partition. An entry that was refused belongs to none. */
  parts(checked: Checked): ReadonlyMap<Partition, readonly number[]>;
  part(checked: Checked, nths: readonly number[]): Checked;
  /** The part as it is sent to other brokers. */
  forwarded(message: Request, nths: readonly number[]): object;
  /** The reply before any partition has replied. It has the refused entries only. */
  begin(checked: Checked): object;
  join(into: object, nths: readonly number[], reply: Reply): void;
}

/** Methods are bivariant, so `Command<worker.Pull, Pull>` is assignable to `Command`. */
export interface Command<Request extends object = object, Checked extends object = object> {
  readonly noun: string;
  readonly verb: string;
  /** For docs/protocol.md: what it does, in one line. */
  readonly does: string;
  readonly request: MessageType;
  readonly reply: MessageType;
  /** The shape of the request in JSON. Bounds are checked by {@link check}, for both forms. */
  readonly json: z.ZodType;
  /** A JSON request may be a single entry of a list. The reply is then the one to that entry. */
  readonly alone?: { readonly list: string; readonly json: z.ZodType };
  /**
   * Fields whose values stay the bytes that were sent, in the request itself and in the entries of its lists.
   * Their values in JSON are `Uint8Array`s of JSON text.
   */
  readonly opaque?: ReadonlySet<string>;
  /** `drawn`: the request gets a new session, or proves the one that it names. `proved`: it proves its session. */
  readonly session?: 'drawn' | 'proved';
  /** The codes that it may be refused with, besides {@link EVERY_COMMAND}. */
  readonly codes: readonly RejectionCode[];
  readonly routing: Routing<Request, Checked>;
  /** @param alone whether a single entry was given. Without this method the value is the message's fields. */
  fromJson?(value: object, alone: boolean): Request;
  /** Checks the bounds of the request and fills in every default. @throws Invalid */
  check(message: Request, context: Context): Checked;
  /**
   * Reads what the decision needs and the state does not hold, before it is decided. The state may change meanwhile, so
   * the decision checks everything else again. @returns undefined: nothing is needed
   */
  prepare?(checked: Checked, reading: Reading): Promise<Checked> | undefined;
  /** For how long the leader may delay its reply. */
  holdMs?(checked: Checked): number;
  /** The refusal that a reply is as a whole, if it is one. */
  refusalIn?(reply: object, alone: boolean): ForeignRejection | undefined;
  /** A reply of another broker in the form of our own: fields that it does not set are absent, also in JSON. */
  received?(reply: object): object;
  /** Without this method the reply's fields are its JSON. */
  toJson?(reply: object, alone: boolean): string;
  /** Decides the command in the core of its partition. Answers or refuses `from.to`, now or later. */
  decide(step: Step, checked: Checked, from: From): void;
  /**
   * For a command that actors may send from other partitions: the refusal in an answer that is not refused as a whole.
   * A command without this method is not received.
   */
  refusalInAnswer?(answer: unknown): Rejection | undefined;
}

/** What any command may be refused with. */
export const EVERY_COMMAND = [
  'MALFORMED', 'INVALID_ARGUMENT', 'TOO_LARGE', 'WRONG_PARTITION', 'NOT_LEADER', 'UNKNOWN', 'UNPROCESSABLE',
] as const satisfies readonly RejectionCode[];

export const nameOf = ({ noun, verb }: Pick<Command, 'noun' | 'verb'>): string => `${noun}.${verb}`;

/** The gateway proves the session before the check. @throws TypeError if the command declares no session */
export function identityIn({ identity }: Context): Identity {
  if (identity === undefined) throw new TypeError('the command is checked without a session');
  return identity;
}
