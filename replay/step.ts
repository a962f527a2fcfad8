/** What one event changed, and its form in JSON. */
import { withMember } from '../protocols/json-text.js';

export interface Change {
  readonly before: unknown;
  readonly after: unknown;
}

/** On one line: JSON as it is stored, or a description. */
export interface Content {
  readonly of: 'payload' | 'result';
  readonly text: string;
  readonly isJson: boolean;
}

export interface Step {
  /** `seq.index`: the commit, and the event within it. */
  readonly position: string;
  readonly time: string;
  readonly event: string;
  readonly cause: { readonly type: string; readonly by: string; readonly commandId: string };
  readonly before: string;
  readonly after: string;
  readonly changed: Readonly<Record<string, Change>>;
  readonly content?: Content;
  /** Set if the content of the event was removed from the journal: the size that it had. */
  readonly removedBytes?: number;
  /** The failure that the event records. It may equal the previous one, and is then not in `changed`. */
  readonly failure?: { readonly code: string; readonly message: string };
  /** Why the event cannot be folded: the partition has set the actor aside, or halts if the event is too new. */
  readonly complaint?: string;
}

/** A step, and what is said of it beside what happened. */
interface ToldStep extends Step {
  readonly kind?: 'event';
  readonly partition?: number;
}

/** The step as one line of JSON. */
export function stepJson({ content, ...rest }: ToldStep): string {
  if (content === undefined) return JSON.stringify(rest);
  return withMember(rest, content.of, content.isJson ? content.text : JSON.stringify(content.text));
}
