/** Keys of jobs, unique per queue until the job has ended and for a while after. */
import { DEFAULTS } from '../../protocols/limits.js';
import type { JobId } from '../../protocols/ids.js';

export interface KeyEntry {
  readonly jobId: JobId;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
  /** When it may be forgotten; 0 until its job has ended. */
  readonly untilMs: number;
}

/**
 * Limit of keys. Of jobs that have not ended: beyond it jobs with new keys are refused. Of ended jobs: beyond it the
 * oldest keys are forgotten.
 */
export const MOST_KEYS = 200_000;

export const keyName = (queue: string, key: string): string => `${queue}/${key}`;

export class Keys {
  /** Keys of jobs that have not ended, and of jobs that have, the oldest end first. */
  private live = new Map<string, KeyEntry>();
  private past = new Map<string, KeyEntry>();

  /** A key whose time is over counts as forgotten, even if no commit has removed it yet. */
  find(name: string, nowMs: number): KeyEntry | undefined {
    const past = this.past.get(name);
    return this.live.get(name) ?? (past && past.untilMs >= nowMs ? past : undefined);
  }

  get isFull(): boolean {
    return this.live.size >= MOST_KEYS;
  }

  remember(name: string, jobId: JobId, fingerprint: string): void {
    this.past.delete(name);
    this.live.set(name, { jobId, fingerprint, untilMs: 0 });
  }

  retire(name: string, endedMs: number): void {
    const entry = this.live.get(name);
    if (entry === undefined) return;
    this.live.delete(name);
    this.past.set(name, { ...entry, untilMs: endedMs + DEFAULTS.keyTtlMs });
  }

  /** Maps keep the order of insertion, so the oldest are first, and the first that may stay ends the loop. */
  forget(nowMs: number): void {
    for (const [name, { untilMs }] of this.past) {
      if (this.past.size <= MOST_KEYS && untilMs >= nowMs) return;
      this.past.delete(name);
    }
  }

  view(): { keys: [string, KeyEntry][]; pastKeys: [string, KeyEntry][] } {
    return { keys: [...this.live], pastKeys: [...this.past] };
  }

  restore({ keys, pastKeys }: ReturnType<Keys['view']>): void {
    this.live = new Map(keys);
    this.past = new Map(pastKeys);
  }
}
