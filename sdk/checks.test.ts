import t from 'tap';
import { checkJob } from './checks.js';

t.test('a job that would not survive the way to the broker is refused, and the field named', (t) => {
  const table: [object, RegExp][] = [
    [{ delayMs: 2 ** 64 }, /delayMs .* not 18446744073709552000/], [{ delayMs: Number.NaN }, /delayMs/], [{ delayMs: Infinity }, /delayMs/],
    [{ delayMs: 1.5 }, /delayMs .* not 1\.5/], [{ delayMs: -1 }, /delayMs .* not -1/], [{ retry: { maxAttempts: 1.5 } }, /retry\.maxAttempts/],
    [{ retry: { maxAttempts: 2 ** 32 + 2 } }, /retry\.maxAttempts/], [{ retry: { maxAttempts: 0 } }, /retry\.maxAttempts/],
    [{ retry: { backoff: { factor: Number.NaN } } }, /retry\.backoff\.factor/], [{ priority: 1.5 }, /priority/], [{ priority: 2 ** 32 + 7 }, /priority/],
    [{ priority: '7' }, /priority .* not "7"/], [{ key: 5 }, /key/], [{ key: '\ud800' }, /key .* not "\\ud800"/], [{ labels: { a: '\udc00' } }, /labels/], [{ retry: { nonRetryable: ['\ud800'] } }, /nonRetryable/], [{ labels: { a: 5 } }, /labels/], [{ timeouts: { attemptMs: 2 ** 64 } }, /timeouts\.attemptMs/],
    [{ retry: { backoff: { listMs: [] } } }, /listMs/], [{ retry: { backoff: { listMs: [1.5] } } }, /listMs/], [{ retry: { backoff: { listMs: 5 } } }, /listMs/],
    [{ retry: { maxCrashes: 0 } }, /retry\.maxCrashes/], [{ retry: { preset: 5 } }, /retry\.preset/], [{ timeouts: { startMs: -1 } }, /timeouts\.startMs/],
    [{ foo: 1 }, /no field "foo"/], [{ retry: { tries: 1 } }, /retry has no field "tries"/], [{ retry: 3 }, /retry must be an object/],
  ];
  for (const [fields, says] of table) {
    const check = () => checkJob({ type: 'x', ...fields });
    t.throws(check, { code: 'INVALID_ARGUMENT', message: says }, JSON.stringify(fields));
  }
  t.doesNotThrow(() => checkJob({
    type: 'x', payload: { any: [1] }, priority: -5, delayMs: 0, retry: { maxAttempts: 3, backoff: { jitter: 0.5, listMs: [0, 5] } },
    labels: { a: 'b' }, key: undefined,
  }));
  t.end();
});
