/** A kind together with what a leader does with its actors: what they do when time has come, and which commands there are. */
import type { Keyring } from '../protocols/keyring.js';
import type { ContentFields } from '../streams/payloads.js';
import type { Answered } from './delivery.js';
import type { Kind, Role } from './kind.js';
import type { Step } from './step.js';

/** What the live part of a kind is made with. */
export interface LeaderParts {
  /** Signs tokens of leases. */
  readonly keyring: Keyring;
}

/** Each method is optional: a kind whose actors only change by commands needs none. */
export interface CastMember<R extends Role = Role> {
  readonly kind: Kind<R>;
  /** An actor's `dueMs` has come. One that still wants a time that is past is called again at the next tick. */
  due?(step: Step, actor: Readonly<R['actor']>): void;
  /** As a leader knows it that has just begun. */
  live?(parts: LeaderParts): R['live'];
  /** Leadership begins. */
  lead?(step: Step): void;
  /** Some 20 times a second, for what no journal knows: silence, deadlines of open requests. */
  tick?(step: Step): void;
  /** The commit is about to close: what is decided now shares it. */
  close?(step: Step): void;
  /** A command that an actor sent to another partition was answered: accepted, or refused. */
  answered?(step: Step, answered: Answered): void;
  /** An event of the kind was decided here and folded. */
  changed?(step: Step, actor: Readonly<R['actor']>): void;
}

/** In which field of its body an event of any kind has its content. */
export function contentFields(kinds: readonly CastMember[]): ContentFields {
  const tables = new Map(kinds.map(({ kind }) => [kind.name, kind.events]));
  return (kind, type) => {
    const table = tables.get(kind);
    return table && Object.hasOwn(table, type) ? table[type]?.content?.field : undefined;
  };
}
