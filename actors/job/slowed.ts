/**
 * What an upstream asked to be left alone for a while: the jobs of a queue, of one type of it, or of one value of its
 * label. A performer says so with its retry, and the event of that records it.
 */
import type { ReadonlyLine } from './line.js';

export const SLOW_SCOPES = ['key', 'type', 'queue'] as const;
export type SlowScope = (typeof SLOW_SCOPES)[number];

/** As in the journal and in answers: `images`, `images resize`, `images tenant=acme`. */
export function slowName(scope: SlowScope, { queue, type, key, of }: ReadonlyLine): string {
  switch (scope) {
    case 'queue': return queue;
    case 'type': return `${queue} ${type}`;
    // A queue without a label has no keys.
    case 'key': return key === '' ? `${queue} ${type}` : `${queue} ${of.rules.label}=${key}`;
    default: return scope satisfies never;
  }
}

/** All names under which a line may be slowed. */
export const slowNames = (line: ReadonlyLine): string[] => SLOW_SCOPES.map((scope) => slowName(scope, line));
