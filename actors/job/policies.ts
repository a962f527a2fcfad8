/** Equal policies share one object, because a million jobs have few different ones. */
import type { Policy } from './job.js';

/** With more different ones the table is cleared, which only costs memory. */
const MOST = 10_000;

const byText = new Map<string, Policy>();
/** By identity: requests without a policy all have the same object. */
const known = new WeakMap<Policy, Policy>();
let latest: Policy | undefined;

/** @param policy as it was decided or decoded, perhaps with the defaults of a message's prototype */
export function sharedPolicy(policy: Policy): Policy {
  if (latest !== undefined && (latest === policy || isSame(latest, policy))) return latest;
  latest = known.get(policy) ?? find(policy);
  return latest;
}

function find(policy: Policy): Policy {
  const plain: Policy = {
    maxAttempts: policy.maxAttempts, backoffInitialMs: policy.backoffInitialMs, backoffFactor: policy.backoffFactor,
    backoffMaxMs: policy.backoffMaxMs, backoffJitter: policy.backoffJitter, nonRetryable: [...policy.nonRetryable],
    attemptMs: policy.attemptMs, heartbeatMs: policy.heartbeatMs,
  };
  const text = JSON.stringify(plain);
  let shared = byText.get(text);
  if (shared === undefined) {
    if (byText.size >= MOST) byText.clear();
    byText.set(text, plain);
    shared = plain;
  }
  known.set(policy, shared);
  return shared;
}

const isSame = (a: Policy, b: Policy): boolean =>
  a.maxAttempts === b.maxAttempts && a.attemptMs === b.attemptMs && a.heartbeatMs === b.heartbeatMs &&
  a.backoffInitialMs === b.backoffInitialMs && a.backoffFactor === b.backoffFactor &&
  a.backoffMaxMs === b.backoffMaxMs && a.backoffJitter === b.backoffJitter &&
  a.nonRetryable.length === b.nonRetryable.length && a.nonRetryable.every((code, nth) => code === b.nonRetryable[nth]);
