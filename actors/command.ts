/**
 * A command: what a client or a worker may ask for. Each is one file, `actors/<kind>/commands/<verb>.ts`, which exports
 * one value of {@link Command}, and one line in commands.ts. Subjects, endpoints, codecs, routing, forwarding between
 * brokers and the table in docs/protocol.md follow from the list.
 */
import type protobuf from 'protobufjs/minimal.js';
import type { z } from 'zod';
import type { ForeignRejection, Rejection, RejectionCode } from '../protocols/errors.js';
import type { JobId, Partition } from '../protocols/ids.js';
import type { Identity } from '../protocols/proofs.js';
import type { ReplyTo, Reply } from './reply.js';
import type { Step } from './step.js';

/** A class of the generated code. */
export interface MessageType {
  create(properties?: object): object;
  encode(message: object, writer?: protobuf.Writer): protobuf.Writer;
  decode(bytes: protobuf.Reader | Uint8Array): object;
}

/** What a check takes from outside the message. */
export interface Context {
  readonly partitions: number;
  /** Wall clock, Unix milliseconds. */
  readonly nowMs: number;
  /** Of the session that was drawn or proved; undefined for a command without one. */
  readonly identity: Identity | undefined;
  drawJobId(partition: Partition): JobId;
}

/** Whose command it is, and who gets the reply. */
export interface From {
  readonly to: ReplyTo;
  /** The principal as the client claims it; empty if it claims none. */
  readonly by: string;
}

/** Which partitions a request goes to. */
export type Routing<Request extends object = object, Checked extends object = object> =
  | ToOne<Checked>
  | ToAll<Request>
  | Split<Request, Checked>;

export interface ToOne<Checked extends object = object> {
  readonly to: 'one';
  partitionOf(checked: Checked, partitions: number): Partition;
}

/** Every partition gets the whole request, and their replies become one. */
export interface ToAll<Request extends object = object> {
  readonly to: 'all';
  /** The request as other brokers get it. */
  forwarded(message: Request, context: Context): object;
  /** @param replies of all partitions, in their order */
  merge(replies: readonly Reply[]): Reply;
}

/** A list whose entries belong to different partitions. Each gets its part, and the replies are joined in order. */
export interface Split<Request extends object = object, Checked extends object = object> {
  readonly to: 'split';
  /** The places of the entries by partition. An entry that was refused belongs to none. */
  parts(checked: Checked): ReadonlyMap<Partition, readonly number[]>;
  part(checked: Checked, nths: readonly number[]): Checked;
  /** The part as other brokers get it. */
  forwarded(message: Request, nths: readonly number[]): object;
  /** The reply before any partition has replied: only the refused entries are in it. */
  begin(checked: Checked): object;
  join(into: object, nths: readonly number[], reply: Reply): void;
}

/** Its functions are methods, so that a command of certain messages is a command of any. */
export interface Command<Request extends object = object, Checked extends object = object> {
  readonly noun: string;
  readonly verb: string;
  /** For docs/protocol.md: what it does, in one line. */
  readonly does: string;
  readonly request: MessageType;
  readonly reply: MessageType;
  /** The shape of the request in JSON. Bounds are checked by {@link check}, for both forms. */
  readonly json: z.ZodType;
  /** JSON may give one entry of a list by itself, and is then answered with the reply to that entry by itself. */
  readonly alone?: { readonly list: string; readonly json: z.ZodType };
  /**
   * Fields whose values stay the bytes that were sent, in the request itself and in the entries of its lists.
   * Their values in JSON are `Uint8Array`s of JSON text.
   */
  readonly opaque?: ReadonlySet<string>;
  /** `drawn`: a session is given out, or the one that is named is proved. `proved`: the request proves its session. */
  readonly session?: 'drawn' | 'proved';
  /** What it may be refused with, besides {@link EVERY_COMMAND}. */
  readonly codes: readonly RejectionCode[];
  readonly routing: Routing<Request, Checked>;
  /** @param alone whether one entry was given by itself. Without this method the value is the message's fields. */
  fromJson?(value: object, alone: boolean): Request;
  /** Holds the request to its bounds and fills in every default. @throws Invalid */
  check(message: Request, context: Context): Checked;
  /** For how long the leader may hold its reply back. */
  holdMs?(checked: Checked): number;
  /** The refusal that a reply stands for as a whole, if it does. */
  refusalIn?(reply: object, alone: boolean): ForeignRejection | undefined;
  /** A reply of another broker as one of ours: what it did not say is absent, also in JSON. */
  received?(reply: object): object;
  /** Without this method the reply's fields are its JSON. */
  toJson?(reply: object, alone: boolean): string;
  /** What it does in the core of its partition. Answers or refuses `from.to`, now or later. */
  decide(step: Step, checked: Checked, from: From): void;
  /**
   * For a command that actors may send from other partitions: what an answer refuses that is not refused as a whole. A
   * command without this method is not received.
   */
  refusalInAnswer?(answer: unknown): Rejection | undefined;
}

/** What any command may be refused with. */
export const EVERY_COMMAND = [
  'MALFORMED', 'INVALID_ARGUMENT', 'TOO_LARGE', 'WRONG_PARTITION', 'NOT_LEADER', 'UNKNOWN',
] as const satisfies readonly RejectionCode[];

export const nameOf = ({ noun, verb }: Pick<Command, 'noun' | 'verb'>): string => `${noun}.${verb}`;

/** @throws TypeError where the command declares no session: the gateway proves it before the check */
export function identityIn({ identity }: Context): Identity {
  if (identity === undefined) throw new TypeError('the command is checked without a session');
  return identity;
}
