/** What the leader does when a commit is acknowledged: values, in the order in which they were decided. */
import type { Rejection } from '../protocols/errors.js';
import type { Actor } from './kind.js';
import type { ReplyTo, ReplyOf } from './reply.js';
import type { WaitOf } from './step.js';

export type Effect =
  | { readonly kind: 'answer'; readonly to: ReplyTo; readonly reply: ReplyOf<unknown>; readonly answer: unknown }
  | {
      readonly kind: 'wait'; readonly to: ReplyTo; readonly wait: WaitOf<unknown>;
      readonly answers: readonly unknown[]; readonly waitMs: number;
    }
  /** Only of an actor that a reply waits for. */
  | { readonly kind: 'ended'; readonly actor: Actor }
  | { readonly kind: 'refused'; readonly to: ReplyTo; readonly rejection: Rejection };
