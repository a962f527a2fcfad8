import { createHash } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { jobId, type JobId, type Partition } from '../../protocols/ids.js';
import type { CommandEntry } from '../../actors/step.js';
import { CommandIds, COMMANDS } from './command-ids.js';

const P7 = 7 as Partition;
const sha = (text: string): Buffer => createHash('sha256').update(text).digest();
const idOf = (text: string): JobId => jobId(P7, sha(text));

t.test('it knows what a Map knows that forgets by time and number, in the same order', (t) => {
  const act = fc.record({
    name: fc.integer({ min: 0, max: 400 }), passedMs: fc.constantFrom(0, 0, 0, 1_000, 90_000), bare: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(act, { maxLength: 3_000, size: 'max' }), (acts) => {
    const most = 100;
    const commands = new CommandIds(P7, most);
    const model = new Map<string, CommandEntry>();
    let nowMs = 1;
    for (const { name, passedMs, bare } of acts) {
      nowMs += passedMs;
      commands.forget(nowMs);
      for (const [key, { atMs }] of model) if (atMs + COMMANDS.ms < nowMs || model.size > most) model.delete(key);
      const text = `command ${name} ü`;
      if (commands.has(text) !== model.has(text)) return false;
      if (commands.has(text)) continue;
      commands.add(text, bare ? 'CancelJob' : 'SubmitJob', idOf(text), bare ? undefined : sha(text), nowMs);
      const fingerprint = bare ? '' : sha(text).toString('hex');
      model.set(text, { type: bare ? 'CancelJob' : 'SubmitJob', id: idOf(text), fingerprint, atMs: nowMs });
    }
    t.strictSame([...commands], [...model]);
    t.strictSame([...model.keys()].map((name) => commands.get(name)), [...model.values()]);
    return true;
  }), { numRuns: 30 });
  t.end();
});

t.test('given 900,000 commands within a minute, then the first is still known, and its columns take 80 MB at most', (t) => {
  const commands = new CommandIds(P7);
  const [id, fingerprint] = [idOf('x'), sha('x')];
  for (let n = 0; n < 900_000; n += 1) {
    commands.forget(n / 15);
    commands.add(`command-${n}`, 'SubmitJob', id, fingerprint, n / 15);
  }
  t.match(commands.get('command-0'), { id, fingerprint: fingerprint.toString('hex') });
  t.equal(commands.windowMs(60_000), COMMANDS.ms);
  t.ok(commands.columnBytes < 80_000_000, 'columns');
  t.end();
});

t.test('given a ring that has gone round when it must grow, then nothing is lost and nothing moves', (t) => {
  const commands = new CommandIds(P7);
  const add = (from: number, to: number, atMs: number): void => {
    for (let n = from; n < to; n += 1) commands.add(`c${n}`, 'SubmitJob', idOf(`c${n}`), sha(`c${n}`), atMs);
  };
  add(0, 700, 1);
  add(700, 1_000, COMMANDS.ms);
  commands.forget(COMMANDS.ms + 2);
  add(1_000, 5_000, COMMANDS.ms + 2);
  t.strictSame(
    [...commands].map(([name, { id }]) => `${name} ${id}`),
    Array.from({ length: 4_300 }, (_, n) => `c${n + 700} ${idOf(`c${n + 700}`)}`),
  );
  t.equal(commands.get('c4999')?.fingerprint, sha('c4999').toString('hex'));
  t.end();
});

t.test('given more than can be remembered, then the oldest are forgotten, and it says how far back it reaches', (t) => {
  const commands = new CommandIds(P7, 1_000);
  for (let n = 0; n < 3_000; n += 1) {
    commands.forget(n);
    commands.add(`c${n}`, 'SubmitJob', idOf('x'), undefined, n);
  }
  commands.forget(3_000);
  t.equal(commands.size, 1_000);
  t.notOk(commands.has('c1999'));
  t.ok(commands.has('c2000'));
  t.equal(commands.windowMs(3_000), 3_000 - 1_999);
  t.equal(commands.windowMs(1_999 + COMMANDS.ms), COMMANDS.ms, 'until so much time has passed that nothing is missing');
  const long = new CommandIds(P7);
  for (let n = 0; n < 3; n += 1) {
    long.add(`${n}${'x'.repeat(COMMANDS.characters / 3)}`, 'SubmitJob', idOf('x'), undefined, 1);
  }
  long.forget(1);
  t.equal(long.size, 2, 'long ids are bounded together');
  t.end();
});
