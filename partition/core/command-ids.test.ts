import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { stateHash, type Part } from '../../actors/rows/parts.js';
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

/** As long as fits into a row, longer, a UUID, and not ASCII; ids of jobs and of others. */
function commandOf(nth: number): { name: string; type: string; id: string; fingerprint: Buffer | undefined } {
  const names = [
    `c${nth}`, `c${nth}`.padEnd(20, '-'), `c${nth}`.padEnd(60, '-'),
    `00000000-0000-4000-8000-${`${nth}`.padStart(12, '0')}`, `ü ${nth}`, `\ud800${nth}`,
  ];
  const name = names[nth % names.length]!;
  const id = nth % 7 === 0 ? `worker-${nth}` : idOf(name);
  return { name, type: `Type${nth % 5}`, id, fingerprint: nth % 3 === 0 ? undefined : sha(name) };
}

const bytesOf = (parts: readonly Part[]): Map<string, Buffer> =>
  new Map(parts.map((part) => [part.name, Buffer.from(part.bytes())]));

t.test('thawed commands go on as the frozen ones do, with the same parts', (t) => {
  const act = fc.record({
    nth: fc.nat(3_000), passedMs: fc.constantFrom(0, 0, 0, 0, 1_000, 20_000), thaws: fc.nat(200).map((n) => n === 0),
  });
  fc.assert(fc.property(fc.array(act, { maxLength: 4_000, size: 'max' }), (acts) => {
    const most = 1_200;
    const commands = new CommandIds(P7, most);
    const model = new Map<string, CommandEntry>();
    let thawed = commands;
    let [nowMs, forgottenMs] = [1, 0];
    for (const { nth, passedMs, thaws } of acts) {
      nowMs += passedMs;
      if (thaws) {
        const parts = bytesOf(commands.freeze());
        thawed = new CommandIds(P7, most);
        // What was there before goes.
        thawed.add('another', 'SubmitJob', idOf('another'), undefined, nowMs);
        thawed.thaw(parts);
      }
      const { name, type, id, fingerprint } = commandOf(nth);
      for (const of of new Set([commands, thawed])) {
        of.forget(nowMs);
        if (!of.has(name)) of.add(name, type, id, fingerprint, nowMs);
      }
      for (const [key, { atMs }] of model) {
        const isOld = atMs + COMMANDS.ms < nowMs;
        if (!isOld && model.size <= most) break;
        if (!isOld) forgottenMs = atMs;
        model.delete(key);
      }
      if (!model.has(name)) model.set(name, { type, id, fingerprint: fingerprint?.toString('hex') ?? '', atMs: nowMs });
      if (!isDeepStrictEqual(thawed.get(name), model.get(name))) return false;
    }
    t.strictSame([...thawed], [...model]);
    t.equal(thawed.windowMs(nowMs), forgottenMs === 0 ? COMMANDS.ms : Math.min(COMMANDS.ms, nowMs - forgottenMs));
    return stateHash(thawed.freeze()).equals(stateHash(commands.freeze()));
  }), { numRuns: 15 });
  t.end();
});

t.test('given commands that are frozen, when others come and these are forgotten, then the frozen ones are there', (t) => {
  const commands = new CommandIds(P7);
  const add = (from: number, to: number, atMs: number): void => {
    for (let nth = from; nth < to; nth += 1) {
      const { name, type, id, fingerprint } = commandOf(nth);
      commands.add(name, type, id, fingerprint, atMs);
    }
  };
  add(0, 2_500, 1);
  const [all, parts] = [[...commands], commands.freeze()];
  const hash = stateHash(parts);
  add(2_500, 3_000, 2);
  commands.forget(COMMANDS.ms + 2);
  const thawed = new CommandIds(P7);
  thawed.thaw(bytesOf(parts));
  t.strictSame([...thawed], all);
  t.ok(stateHash(thawed.freeze()).equals(hash));
  t.equal(commands.size, 500);
  t.throws(() => thawed.thaw(new Map()), RangeError);
  t.end();
});

t.test('given more types than a row has numbers for, then each command still has its own', (t) => {
  const commands = new CommandIds(P7);
  for (let nth = 0; nth < 300; nth += 1) commands.add(`c${nth}`, `Type${nth}`, idOf('x'), undefined, 1);
  t.strictSame([...commands].map(([, { type }]) => type), Array.from({ length: 300 }, (_, nth) => `Type${nth}`));
  t.end();
});

t.test('given 900,000 commands within a minute, then the first is known, and rows and index take 85 MB at most', (t) => {
  const commands = new CommandIds(P7);
  const [id, fingerprint] = [idOf('x'), sha('x')];
  for (let n = 0; n < 900_000; n += 1) {
    commands.forget(n / 15);
    commands.add(`command-${n}`, 'SubmitJob', id, fingerprint, n / 15);
  }
  t.match(commands.get('command-0'), { id, fingerprint: fingerprint.toString('hex') });
  t.equal(commands.windowMs(60_000), COMMANDS.ms);
  t.ok(commands.columnBytes < 85_000_000, 'names and index included');
  t.end();
});

t.test('given a queue whose first pages have left, then nothing is lost and nothing moves', (t) => {
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
