/** The settings of retention of a partition, and the event that records one. */
import type { ActorEvent, EventTable } from '../../actors/kind.js';
import type { RetentionChange, RetentionReading, RetentionSetting } from '../../actors/retention/retention.js';
import { journal } from '../../protocols/messages.js';

export type RetentionEvent = ActorEvent & {
  readonly type: 'RetentionSet';
  readonly body: { readonly status: '' } & RetentionChange;
};

export const RETENTION_EVENTS: EventTable<RetentionEvent> = {
  RetentionSet: { version: 1, message: journal.RetentionSet, since: 3 },
};

const DEFAULT = '';

export class Retention implements RetentionReading {
  private readonly byQueue = new Map<string, RetentionSetting>();

  get size(): number {
    return this.byQueue.size;
  }

  [Symbol.iterator](): Iterator<RetentionSetting> {
    return this.byQueue.values();
  }

  get(queue: string): RetentionSetting | undefined {
    return this.byQueue.get(queue);
  }

  contentMs(queue: string): number {
    return (this.byQueue.get(queue) ?? this.byQueue.get(DEFAULT))?.contentMs ?? 0;
  }

  apply({ queue, contentMs, unset }: RetentionChange, by: string, sinceMs: number): void {
    if (unset) this.byQueue.delete(queue);
    else this.byQueue.set(queue, { queue, contentMs, by, sinceMs });
  }

  view(): readonly RetentionSetting[] {
    return [...this.byQueue.values()].map((setting) => ({ ...setting }));
  }

  restore(settings: readonly RetentionSetting[] = []): void {
    for (const setting of settings) this.byQueue.set(setting.queue, { ...setting });
  }
}
