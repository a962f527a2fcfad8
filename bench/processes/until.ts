/** Waiting, never for ever. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Deadline } from '../contender.js';

export function deadline(what: string, withinMs: number): Deadline {
  const end = performance.now() + withinMs;
  return () => {
    if (performance.now() > end) throw new Error(`${what}: not within ${withinMs / 1_000} s.`);
  };
}

/** Asks again and again until the answer is not undefined. */
export async function until<T>(ask: () => Promise<T | undefined>, check: Deadline, everyMs = 20): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    check();
    await sleep(everyMs);
  }
}
