/**
 * What leases have used of rates and shares, as their events say. A bucket that is full again, and a share that does
 * not run ahead of its queue, are as if they had never been, so they are forgotten.
 */
import type { JobBodies } from './job.events.js';

type Leased = Pick<JobBodies['JobLeased'], 'buckets' | 'share'>;
type Slowed = JobBodies['JobRetryScheduled']['slowed'];

interface Shares {
  /** Of the lease that began last, in virtual time. */
  start: number;
  /** Where the keys are that had more than others. */
  readonly ends: Map<string, number>;
}

type SharesView = readonly [queue: string, start: number, ends: readonly (readonly [key: string, end: number])[]];

export interface AdmissionsView {
  readonly buckets?: readonly [limit: string, untilMs: number][];
  readonly shares?: readonly SharesView[];
  readonly slowed?: readonly [scope: string, untilMs: number][];
}

export interface AdmissionsReading {
  /** Until when any of these is slowed; 0 if none is. */
  slowedUntilMs(scopes: readonly string[]): number;
  readonly isSlowed: boolean;
  /** When the bucket of a limit is full again; 0 if it is. */
  untilMs(limit: string): number;
  /** Where the latest lease of a key ended, in the virtual time of its queue; 0 if it is not ahead of others. */
  endOf(queue: string, key: string): number;
  /** Where the next lease of a key begins. */
  startOf(queue: string, key: string): number;
}

export class Admissions implements AdmissionsReading {
  private readonly buckets = new Map<string, number>();
  private readonly shares = new Map<string, Shares>();
  private readonly slowed = new Map<string, number>();
  private nowMs = 0;

  get isSlowed(): boolean {
    return this.slowed.size > 0;
  }

  slowedUntilMs(scopes: readonly string[]): number {
    return scopes.reduce((latest, scope) => Math.max(latest, this.slowed.get(scope) ?? 0), 0);
  }

  untilMs(limit: string): number {
    return this.buckets.get(limit) ?? 0;
  }

  endOf(queue: string, key: string): number {
    return this.shares.get(queue)?.ends.get(key) ?? 0;
  }

  startOf(queue: string, key: string): number {
    const shares = this.shares.get(queue);
    return shares === undefined ? 0 : Math.max(shares.start, shares.ends.get(key) ?? 0);
  }

  note(queue: string, { buckets, share }: Leased): void {
    for (const { limit, untilMs } of buckets ?? []) this.buckets.set(limit, untilMs);
    if (!share) return;
    const { key, start, end } = share;
    let shares = this.shares.get(queue);
    if (shares === undefined) this.shares.set(queue, (shares = { start, ends: new Map() }));
    shares.start = Math.max(shares.start, start);
    shares.ends.set(key, end);
  }

  slow(slowed: Slowed): void {
    if (slowed) this.slowed.set(slowed.scope, Math.max(slowed.untilMs, this.slowed.get(slowed.scope) ?? 0));
  }

  /** A commit begins. */
  begin(nowMs: number): void {
    const minute = Math.floor(nowMs / 60_000) > Math.floor(this.nowMs / 60_000);
    this.nowMs = nowMs;
    if (!minute) return;
    for (const past of [this.buckets, this.slowed]) {
      for (const [name, untilMs] of past) if (untilMs <= nowMs) past.delete(name);
    }
    for (const [queue, { start, ends }] of this.shares) {
      for (const [key, end] of ends) if (end <= start) ends.delete(key);
      if (ends.size === 0) this.shares.delete(queue);
    }
  }

  /** Sorted, and without what is as if it had never been: when that is dropped is no part of the state. */
  view(): AdmissionsView {
    const ahead = (of: ReadonlyMap<string, number>): [string, number][] =>
      [...of].filter(([, untilMs]) => untilMs > this.nowMs).sort(byName);
    const [buckets, slowed] = [ahead(this.buckets), ahead(this.slowed)];
    const shares = [...this.shares].sort(byName).flatMap(([queue, { start, ends }]): SharesView[] => {
      const those = [...ends].filter(([, end]) => end > start).sort(byName);
      return those.length === 0 ? [] : [[queue, start, those]];
    });
    return {
      ...(buckets.length > 0 && { buckets }),
      ...(shares.length > 0 && { shares }),
      ...(slowed.length > 0 && { slowed }),
    };
  }

  restore({ buckets = [], shares = [], slowed = [] }: AdmissionsView): void {
    for (const [scope, untilMs] of slowed) this.slowed.set(scope, untilMs);
    for (const [limit, untilMs] of buckets) this.buckets.set(limit, untilMs);
    for (const [queue, start, ends] of shares) this.shares.set(queue, { start, ends: new Map(ends) });
  }
}

const byName = ([a]: readonly [string, ...unknown[]], [b]: readonly [string, ...unknown[]]): number => (a < b ? -1 : 1);
