/** The queues and groups of a partition that are paused or have settings, and those that the latest commit resumed. */
import { canonicalOf, refOf, type CanonicalContent } from '../canonical.js';
import type { Held, Store } from '../kind.js';
import { groupOf, isGroupName } from '../../protocols/ids.js';
import type { Queue } from './queue.js';
import type { QueueSettings } from './settings.js';

type QueueState = Omit<Queue, 'reason' | 'reasonContent'> & { readonly reason: CanonicalContent | undefined };
type Reasons = Readonly<Record<string, string>>;

/** What steps may read. */
export interface QueuesReading {
  get(name: string): Readonly<Queue> | undefined;
  all(): Iterable<Readonly<Queue>>;
  /** Names of queues and groups that are paused themselves. */
  readonly paused: ReadonlySet<string>;
  /** Names of queues and groups with settings. */
  readonly configured: ReadonlySet<string>;
  /** Of exactly this queue or group (`images/`); undefined: none. */
  settingsOf(name: string): QueueSettings | undefined;
  /** What holds a queue or group: itself or its group, if that is paused. */
  holderOf(name: string): Readonly<Queue> | undefined;
}

export class Queues implements Store<Queue>, QueuesReading, Held {
  readonly paused = new Set<string>();
  readonly configured = new Set<string>();
  private readonly byName = new Map<string, Queue>();
  /** Open and without settings. */
  private readonly plain = new Set<string>();
  private pausedGroups = 0;

  get(name: string): Queue | undefined {
    return this.byName.get(name);
  }

  all(): Iterable<Readonly<Queue>> {
    return this.byName.values();
  }

  settingsOf(name: string): QueueSettings | undefined {
    return this.configured.size === 0 ? undefined : this.byName.get(name)?.configured?.settings;
  }

  holderOf(name: string): Queue | undefined {
    const holder = this.paused.has(name) ? name : this.pausedGroups > 0 ? `${groupOf(name)}/` : '';
    return this.paused.has(holder) ? this.byName.get(holder) : undefined;
  }

  has(queue: string): boolean {
    return this.paused.has(queue) || (this.pausedGroups > 0 && this.paused.has(`${groupOf(queue)}/`));
  }

  /** How many queues a group has is not known. */
  get size(): number {
    return this.pausedGroups > 0 ? Number.POSITIVE_INFINITY : this.paused.size;
  }

  [Symbol.iterator](): Iterator<string> {
    return this.paused.values();
  }

  leave({ id, status }: Queue): void {
    if (status === 'paused' && this.paused.delete(id) && isGroupName(id)) this.pausedGroups -= 1;
    this.configured.delete(id);
    this.plain.delete(id);
  }

  owns(queue: Readonly<Queue>): boolean {
    return this.byName.get(queue.id) === queue;
  }

  enter(queue: Queue): Queue {
    const { id, status, configured } = queue;
    this.byName.set(id, queue);
    if (status === 'paused') this.paused.add(id);
    if (status === 'paused' && isGroupName(id)) this.pausedGroups += 1;
    if (configured) this.configured.add(id);
    if (status === 'open' && !configured) this.plain.add(id);
    return queue;
  }

  remove({ id }: Queue): undefined {
    this.byName.delete(id);
  }

  /** An open queue without settings is like one that never was, so it need not be remembered. */
  begin(): void {
    if (this.plain.size === 0) return;
    for (const name of this.plain) this.byName.delete(name);
    this.plain.clear();
  }

  view(): object {
    // In one order of fields, whether it was paused or configured first: equal states have equal parts in snapshots.
    const queues = [...this.byName.values()].map((queue): QueueState => {
      const { id, status, by, sinceMs, reasonContent, configured } = queue;
      return { id, status, by, sinceMs, reason: canonicalOf(reasonContent), ...(configured && { configured }) };
    });
    return { queues };
  }

  places(): object {
    return Object.fromEntries([...this.byName.values()].map(({ id, reason }) => [id, reason]));
  }

  restore({ queues }: { readonly queues: readonly QueueState[] }, reasons: Reasons): void {
    for (const { reason, ...queue } of queues) {
      this.enter({ ...queue, reason: reasons[queue.id] ?? '', reasonContent: refOf(reason) });
    }
  }
}
