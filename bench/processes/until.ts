/** Waiting with a time-out. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deadline } from '../contender.js';

export function deadline(what: string, withinMs: number): Deadline {
  const end = performance.now() + withinMs;
  return () => {
    if (performance.now() > end) throw new Error(`Timed out after ${withinMs / 1_000} s: ${what}.`);
  };
}

/** Polls until the result is not undefined. */
export async function until<T>(poll: () => Promise<T | undefined>, check: Deadline, everyMs = 20): Promise<T> {
  for (;;) {
    const result = await poll();
    if (result !== undefined) return result;
    check();
    await sleep(everyMs);
  }
}
