import t from 'tap';
import { job as messages } from '../../protocols/messages.js';
import type { Policy } from './job.js';
import { policyOf, textOf } from './policies.js';
import { PRESETS } from './presets.js';
import { submitJob } from './job.submit.js';

type Retry = messages.RetryPolicy.$Properties;

/** As the leader gets it from either encoding. */
const policy = (retry: Retry): Policy => {
  const message = messages.SubmitJob.create({ type: 'x', retry: messages.RetryPolicy.create(retry) });
  return submitJob(messages.SubmitJob.decode(messages.SubmitJob.encode(message).finish()), 0).policy;
};

t.test('a preset is a policy, and what is given beside it takes the place of its own', (t) => {
  t.equal(Object.keys(PRESETS).length, 7);
  t.match(policy({ preset: 'NETWORK' }), {
    maxAttempts: 8, backoffInitialMs: 2_000, backoffFactor: 2, backoffMaxMs: 30_000, backoffJitter: 0.1, maxCrashes: 3,
  });
  t.match(policy({ preset: 'NO_RETRY' }), { maxAttempts: 1, maxCrashes: 1 });
  const over = policy({ preset: 'CRITICAL', maxAttempts: 2, maxCrashes: 7, backoff: { initialMs: 0, jitter: 0 } });
  t.match(over, { maxAttempts: 2, maxCrashes: 7, backoffInitialMs: 0, backoffFactor: 1.5, backoffJitter: 0 });
  t.match(policy({ preset: 'FAST', backoff: { fixedMs: 9 } }), { maxAttempts: 3, backoffListMs: [9] });
  t.end();
});

t.test('a fixed wait and a list are not changed by chance, unless a jitter is given', (t) => {
  t.match(policy({ backoff: { fixedMs: 0 } }), { backoffListMs: [0], backoffJitter: 0 });
  t.match(policy({ backoff: { listMs: [1, 0, 5] } }), { backoffListMs: [1, 0, 5], backoffJitter: 0 });
  t.match(policy({ backoff: { listMs: [5], jitter: 0.5 } }), { backoffListMs: [5], backoffJitter: 0.5 });
  t.equal(policy({}).backoffListMs, undefined);
  t.end();
});

t.test('what contradicts itself or is out of bounds is refused', (t) => {
  const table: [Retry, RegExp][] = [
    [{ preset: 'NETWROK' }, /retry\.preset must be one of CRITICAL, .*NO_RETRY/],
    [{ preset: 'toString' }, /retry\.preset/],
    [{ backoff: { fixedMs: 5, listMs: [5] } }, /exclude each other/],
    [{ backoff: { listMs: [5], factor: 2 } }, /exclude each other/],
    [{ backoff: { fixedMs: 5, initialMs: 0 } }, /exclude each other/],
    [{ backoff: { fixedMs: 1e15 } }, /retry\.backoff\.fixedMs/],
    [{ backoff: { listMs: [1, 1e15] } }, /retry\.backoff\.listMs/],
    [{ backoff: { listMs: Array.from({ length: 65 }, () => 1) } }, /retry\.backoff\.listMs/],
    [{ maxCrashes: 1_001 }, /retry\.maxCrashes/],
  ];
  for (const [retry, message] of table) t.throws(() => policy(retry), { message }, JSON.stringify(retry).slice(0, 60));
  t.end();
});

t.test('a policy of an earlier release has the text that it had', (t) => {
  const { maxCrashes: _, backoffListMs: __, ...before } = policy({});
  const recorded = messages.Policy.decode(messages.Policy.encode(before as messages.Policy.$Properties).finish()) as Policy;
  t.equal(textOf(recorded), JSON.stringify({
    maxAttempts: 3, backoffInitialMs: 1_000, backoffFactor: 2, backoffMaxMs: 60_000, backoffJitter: 0.1,
    nonRetryable: [], attemptMs: 1_800_000, heartbeatMs: 15_000,
  }));
  t.equal(policyOf(textOf(recorded)).maxCrashes, undefined);
  t.not(textOf(policy({})), textOf(recorded), 'others are told apart from it');
  const lists = [[1, 2], [1], [2, 1]].map((listMs) => textOf(policy({ backoff: { listMs } })));
  t.equal(new Set(lists).size, 3);
  t.end();
});
