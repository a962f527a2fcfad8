/** What is to be done once a commit is acknowledged: values, in the order in which they were decided. */
import type { Rejection } from '../protocols/errors.js';
import type { Actor } from './kind.js';
import type { Asker, ReplyOf } from './reply.js';
import type { WaitOf } from './step.js';

export type Effect =
  | { readonly kind: 'answer'; readonly to: Asker; readonly reply: ReplyOf<unknown>; readonly answer: unknown }
  | { readonly kind: 'wait'; readonly to: Asker; readonly wait: WaitOf<unknown>; readonly answers: readonly unknown[]; readonly waitMs: number }
  /** The actor itself, because one that has ended changes no more. */
  | { readonly kind: 'ended'; readonly actor: Actor }
  | { readonly kind: 'refused'; readonly to: Asker; readonly rejection: Rejection };
