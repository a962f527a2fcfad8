import t from 'tap';
import { z } from 'zod';
import type { Command } from '../actors/command.js';
import { submit } from '../actors/job/commands/submit.js';
import { list } from '../actors/queue/commands/list.js';
import { pause } from '../actors/queue/commands/pause.js';
import { pull } from '../actors/worker/commands/pull.js';
import { parseJson } from './json.js';
import { issueText } from './shape-issue.js';

const session = { workerId: 'w', session: 's', pullSeq: 1, free: 1, expiresMs: 0 };

t.test('a wrong shape is told by field, what it accepts, and the value', (t) => {
  const table: [Command, object, string][] = [
    [pull, { ...session, partition: -1 }, 'partition must be at least 0, got -1'],
    [pull, { ...session, partition: 1.5 }, 'partition must be a whole number, got 1.5'],
    [pull, { ...session, partition: null }, 'partition must be a number, got null'],
    [pull, { ...session, held: 'x' }, 'held must be a list, got "x"'],
    [pull, { ...session, held: [{}] }, 'held.0 must be a string, got an object'],
    [pull, { ...session, reports: [{ token: 't', outcome: 'ok', foo: 1 }] }, 'unknown field "foo" in reports.0'],
    [pause, {}, 'queue is missing; it must be a string'],
    [pause, { queue: ['a'] }, 'queue must be a string, got a list'],
    [pause, { queue: 'a', partition: 5 }, 'unknown field "partition"'],
    [pause, { queue: 'a', one: 5, two: 5 }, 'unknown fields "one", "two"'],
    [list, { limit: true }, 'limit must be a number, got true'],
    [submit, { type: 'x', delayMs: -1 }, 'delayMs must be a whole number from 0 to 31622400000, got -1'],
    [submit, { type: 'x', payloadBase64: '!' }, 'payloadBase64 must be base64, got "!"'],
    [submit, { type: 'x', payloadBase64: 'AB==' }, 'payloadBase64 must be canonical base64, got "AB=="'],
    [submit, { type: 'x', labels: { a: 5 } }, 'labels.a must be a string, got 5'],
    [submit, { type: 'x', runAt: 'noon' }, 'runAt must be an ISO 8601 time with its offset, got "noon"'],
    [submit, { type: 'x', retry: 3 }, 'retry must be an object, got 3'],
    [submit, { jobs: [{ type: 'x', retry: { tries: 1 } }] }, 'unknown field "tries" in jobs.0.retry; there are preset, maxAttempts, maxCrashes, backoff, nonRetryable'],
  ];
  for (const [command, request, message] of table) {
    const refused = parseJson(command, Buffer.from(JSON.stringify(request)));
    t.same(refused, { code: 'INVALID_ARGUMENT', message }, JSON.stringify(request));
  }
  t.end();
});

t.test('every rule of the library has a text', (t) => {
  const table: [z.ZodType, unknown, string][] = [
    [z.string().min(2), 'a', 'f must have at least 2 characters, got "a"'],
    [z.array(z.string()).max(0), ['a'], 'f must have at most 0 entries, got a list'],
    [z.number().max(5), 6, 'f must be at most 5, got 6'],
    [z.number().gt(5), 5, 'f must be more than 5, got 5'],
    [z.number().lt(5), 5, 'f must be less than 5, got 5'],
    [z.enum(['a', 'b']), 'c', 'f must be "a" or "b", got "c"'],
    [z.number().multipleOf(2), 3, 'f must be a multiple of 2, got 3'],
    [z.union([z.string(), z.number()]), null, 'f must be a string or must be a number, got null'],
    [z.boolean(), 'x'.repeat(70), `f must be true or false, got "${'x'.repeat(64)}…"`],
  ];
  for (const [shape, value, message] of table) {
    const { error } = z.object({ f: shape }).safeParse({ f: value }, { reportInput: true });
    t.equal(issueText(error!.issues[0]!), message);
  }
  const { error } = z.object({}).safeParse([], { reportInput: true });
  t.equal(issueText(error!.issues[0]!), 'the request must be an object, got a list');
  t.end();
});
