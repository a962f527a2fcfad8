/**
 * What each event of an actor of any kind changed, found by folding the events with the functions that the leader uses.
 * Pure.
 */
import type { JobEvent } from '../actors/job/job.events.js';
import { decodeEvent, type Actor, type ActorEvent, type At, type Decoded, type Kind } from '../actors/kind.js';
import { messageOf, RepriseError } from '../protocols/errors.js';
import type { journal } from '../protocols/messages.js';
import type { Fact } from './history.js';
import { NOT_LISTED_OF_JOB, shownOfJob } from './job.js';
import type { Change, Step } from './step.js';

/** How the events of a kind are shown. */
interface Part {
  /** Fields that are not listed as changes. */
  readonly notListed: ReadonlySet<string>;
  shown(event: ActorEvent & Decoded): Pick<Step, 'content' | 'failure'>;
}

const PLAIN: Part = { notListed: new Set(['id', 'status']), shown: () => ({}) };
const PARTS: ReadonlyMap<string, Part> = new Map([
  ['job', {
    notListed: new Set([...PLAIN.notListed, ...NOT_LISTED_OF_JOB]),
    shown: (event) => shownOfJob(event as JobEvent & Decoded),
  }],
]);

export class Steps {
  private actor: Actor | undefined;
  private readonly part: Part;

  /** @param status of the actor before the first event */
  constructor(
    private readonly kind: Kind,
    private readonly id: string,
    private status = kind.chart.initial,
  ) {
    this.part = PARTS.get(kind.name) ?? PLAIN;
  }

  next({ seq, index, nowMs, event: stored }: Fact): Step {
    this.beginAnew(stored.type);
    const before = this.status;
    const { type, by, commandId } = stored.cause ?? {};
    const cause = { type: type ?? '', by: by ?? '', commandId: commandId ?? '' };
    const position = `${seq}.${index}`;
    const common = { position, time: new Date(nowMs).toISOString(), event: stored.type, cause, before };
    const event = this.read(stored, position);
    if (typeof event === 'string') return { ...common, after: before, changed: {}, complaint: event };
    const next = this.kind.chart.next(before, event.type);
    const { status } = event.body;
    const old = structuredClone(this.actor);
    this.status = status;
    const unapplied = this.apply(event, { seq, index, nowMs, place: 0, content: undefined });
    const complaint = next === status ? unapplied : `from ${before} the chart leads to ${next ?? 'no status'}`;
    const removed = event.isContentRemoved ? { removedBytes: event.content?.size ?? 0 } : {};
    const changed = difference(old, this.actor, this.part.notListed);
    const said = { ...removed, ...this.part.shown(event), ...(complaint && { complaint }) };
    return { ...common, after: status, changed, ...said };
  }

  /** A worker that is gone may register again: with its first event it is a new actor. */
  private beginAnew(type: string): void {
    const { chart } = this.kind;
    const hasLeft = chart.isFinal(this.status) || (this.actor && this.kind.hasLeft?.(this.actor));
    if (!hasLeft || !this.isFirst(type)) return;
    this.status = chart.initial;
    this.actor = undefined;
  }

  private isFirst(type: string): boolean {
    const { chart } = this.kind;
    return chart.next(chart.initial, type) !== undefined;
  }

  /** @returns a complaint if it cannot be applied: there, and before, the partition has set the actor aside */
  private apply(event: ActorEvent, at: At): string | undefined {
    // Without its first event an actor cannot be folded; its events are still listed.
    if (this.actor === undefined && !this.isFirst(event.type)) return undefined;
    try {
      this.actor = this.kind.apply(this.actor, event, this.id, at);
    } catch (error) {
      return `the event cannot be applied: ${messageOf(error)}`;
    }
    return undefined;
  }

  /** @returns a complaint if it cannot be read */
  private read(stored: journal.Event, position: string): (ActorEvent & Decoded) | string {
    try {
      return decodeEvent(this.kind.events, stored, position);
    } catch (error) {
      const isTooNew = error instanceof RepriseError && error.code === 'JOURNAL_TOO_NEW';
      return isTooNew ? 'this version does not know the event' : `its body cannot be decoded: ${messageOf(error)}`;
    }
  }
}

/** Field by field. For a new actor: the fields that are not empty. */
function difference(
  before: object | undefined, after: object | undefined, notListed: ReadonlySet<string>,
): Record<string, Change> {
  const changed: Record<string, Change> = {};
  for (const [field, value] of Object.entries(after ?? {})) {
    if (notListed.has(field)) continue;
    const old: unknown = before && (before as Record<string, unknown>)[field];
    if (before ? same(old, value) : isEmpty(value)) continue;
    changed[field] = { before: old ?? null, after: (value as unknown) ?? null };
  }
  return changed;
}

const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);
const isEmpty = (value: unknown): boolean => value === undefined || value === '' || value === 0 || value === false;
