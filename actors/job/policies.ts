/** Policies as texts, which rows have by number: a million jobs have few different ones. */
import type { Policy } from './job.js';

/** With more different ones the tables are cleared, which only costs time. */
const MOST = 10_000;

const byText = new Map<string, Policy>();
/** By identity: requests without a policy all have the same object. */
const texts = new WeakMap<Policy, string>();
let latest: { readonly policy: Policy; readonly text: string } | undefined;

/** Equal for equal policies. @param policy as it was decided or decoded, perhaps with the defaults of a prototype */
export function textOf(policy: Policy): string {
  if (latest !== undefined && (latest.policy === policy || isSame(latest.policy, policy))) return latest.text;
  let text = texts.get(policy);
  if (text === undefined) {
    text = JSON.stringify(plain(policy));
    texts.set(policy, text);
  }
  latest = { policy: policyOf(text), text };
  return text;
}

/** One object for one text. */
export function policyOf(text: string): Policy {
  if (latest?.text === text) return latest.policy;
  let policy = byText.get(text);
  if (policy === undefined) {
    if (byText.size >= MOST) byText.clear();
    policy = JSON.parse(text) as Policy;
    byText.set(text, policy);
    texts.set(policy, text);
  }
  return policy;
}

export const sharedPolicy = (policy: Policy): Policy => policyOf(textOf(policy));

const plain = (policy: Policy): Policy => ({
  maxAttempts: policy.maxAttempts, backoffInitialMs: policy.backoffInitialMs, backoffFactor: policy.backoffFactor,
  backoffMaxMs: policy.backoffMaxMs, backoffJitter: policy.backoffJitter, nonRetryable: [...policy.nonRetryable],
  attemptMs: policy.attemptMs, heartbeatMs: policy.heartbeatMs,
  // Left out where there is none, so that policies of earlier releases have the texts that they had.
  maxCrashes: policy.maxCrashes || undefined,
  backoffListMs: policy.backoffListMs?.length ? [...policy.backoffListMs] : undefined,
});

const isSame = (a: Policy, b: Policy): boolean =>
  a.maxAttempts === b.maxAttempts && a.attemptMs === b.attemptMs && a.heartbeatMs === b.heartbeatMs &&
  a.backoffInitialMs === b.backoffInitialMs && a.backoffFactor === b.backoffFactor &&
  a.backoffMaxMs === b.backoffMaxMs && a.backoffJitter === b.backoffJitter &&
  (a.maxCrashes ?? 0) === (b.maxCrashes ?? 0) && isSameList(a.nonRetryable, b.nonRetryable) &&
  isSameList(a.backoffListMs ?? [], b.backoffListMs ?? []);

const isSameList = <T>(a: readonly T[], b: readonly T[]): boolean =>
  a.length === b.length && a.every((each, nth) => each === b[nth]);
