/** A kind together with what a leader does with its actors: timers, volatile state, and reactions. */
import type { Keyring } from '../protocols/keyring.js';
import type { ContentFields } from '../streams/payloads.js';
import type { Answered } from './delivery.js';
import type { Kind, Role } from './kind.js';
import type { Step } from './step.js';

/** Dependencies of the live part of a kind. */
export interface LeaderParts {
  /** Signs tokens of leases. */
  readonly keyring: Keyring;
}

/** Each method is optional: a kind whose actors only change by commands needs none. */
export interface CastMember<R extends Role = Role> {
  readonly kind: Kind<R>;
  /** An actor's `dueMs` has come. If it is still in the past after the call, this is called again at the next tick. */
  due?(step: Step, actor: Readonly<R['actor']>): void;
  /** The live part at the beginning of a leadership. */
  live?(parts: LeaderParts): R['live'];
  /** Leadership begins. */
  lead?(step: Step): void;
  /** Some 20 times a second, for what is not in the journal: silent workers, deadlines of open requests. */
  tick?(step: Step): void;
  /** Before a batch is closed: events that are decided now share its commit. */
  close?(step: Step): void;
  /** A command that an actor sent to another partition was recorded there, as accepted or refused. */
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
