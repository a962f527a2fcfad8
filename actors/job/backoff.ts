import type { Policy } from './job.js';

/**
 * How long to wait after failed attempt number `attempt` (from 1), in milliseconds:
 * initial × factor^(attempt−1), at most max, then changed by up to ±jitter of itself.
 * @param draw a number from [0, 1), drawn by the caller
 */
export function backoffMs(policy: Policy, attempt: number, draw: number): number {
  const bare = Math.min(policy.backoffMaxMs, policy.backoffInitialMs * policy.backoffFactor ** (attempt - 1));
  return Math.round(bare * (1 + policy.backoffJitter * (2 * draw - 1)));
}
