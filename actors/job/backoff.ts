import type { Policy } from './job.js';

/**
 * How long to wait after failed attempt number `attempt` (from 1), in milliseconds: the entry of the list, of which the
 * last repeats, or initial × factor^(attempt−1), at most max; then changed by up to ±jitter of itself.
 * @param draw a number from [0, 1), drawn by the caller
 */
export function backoffMs(policy: Policy, attempt: number, draw: number): number {
  const list = policy.backoffListMs;
  const bare = list?.length
    ? list[Math.min(attempt, list.length) - 1]!
    : Math.min(policy.backoffMaxMs, policy.backoffInitialMs * policy.backoffFactor ** (attempt - 1));
  return Math.round(bare * (1 + policy.backoffJitter * (2 * draw - 1)));
}
