import fc from 'fast-check';
import t from 'tap';
import { stateHash } from '../../actors/rows/parts.js';
import { decodeCommit } from '../../streams/contents.js';
import { acts, Actors } from '../../tests/acts.js';
import { newCore, Play } from '../../tests/play.js';
import { hashOf, read } from '../../tests/poisoned.js';
import type { PartitionCore } from './core.js';
import { freeze, placesOf, thaw, viewOf } from './state.js';

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

function thawed(parts: ReadonlyMap<string, Buffer>): PartitionCore {
  const core = newCore();
  thaw(core.state, parts);
  return core;
}

t.test('property: from any snapshot, folding on gives the state that folding from the start gives', (t) => {
  fc.assert(fc.property(fc.array(acts, { maxLength: 60 }), fc.nat(), (script, nth) => {
    const { play } = played(script);
    const commits = play.commits.map(decodeCommit);
    const at = nth % commits.length;
    const whole = newCore();
    commits.slice(0, at).forEach((commit, index) => whole.replay(commit, index + 1));
    const parts = freeze(whole.state);
    const then = hashOf(whole);
    const resumed = thawed(read(parts));
    t.equal(hashOf(resumed), then);
    commits.slice(at).forEach((commit, index) => {
      whole.replay(commit, at + index + 1);
      resumed.replay(commit, at + index + 1);
      if (hashOf(whole) !== hashOf(resumed)) t.fail(`commit ${at + index + 1} of ${commits.length}, frozen at ${at}`);
    });
    t.strictSame(json(viewOf(resumed.state)), json(viewOf(whole.state)));
    t.strictSame(json(placesOf(resumed.state)), json(placesOf(whole.state)));
    t.equal(stateHash(parts).toString('hex'), then, 'what was frozen is as it was');
    t.equal(hashOf(thawed(read(parts))), then, 'and can still be read');
  }), { numRuns: 60 });
  t.end();
});

function played(script: readonly Parameters<Actors['act']>[0][]): Actors {
  const actors = new Actors();
  for (const act of script) actors.act(act);
  return actors;
}

t.test('the leader that decided and a replay have one hash, and a hash that differs in anything', (t) => {
  const play = new Play();
  const [a, b] = [play.submit({ key: 'a' }), play.submit({ labels: { b: 'c' } })];
  const { journalId, epoch } = play.replayed().state;
  Object.assign(play.core.state, { journalId, epoch });
  const then = hashOf(play.core);
  t.equal(hashOf(play.replayed()), then);
  play.ask({ kind: 'cancel', target: { jobId: b }, reason: '', commandId: '', by: '' });
  t.not(hashOf(play.core), then);
  t.equal(hashOf(play.replayed()), hashOf(play.core), a);
  t.end();
});

t.test('given a queue that was resumed by the commit before, when it is paused, then it is counted as in a replay', (t) => {
  const play = new Play();
  for (const kind of ['pause', 'resume', 'pause', 'resume'] as const) {
    play.ask({ kind, queue: 'q', reason: '', commandId: '' });
    const { journalId, epoch } = play.replayed().state;
    Object.assign(play.core.state, { journalId, epoch });
    t.equal(hashOf(play.replayed()), hashOf(play.core), kind);
  }
  t.end();
});

t.test('given a part that is missing, or rows of another size, then it is not restored', (t) => {
  const play = new Play();
  play.submit();
  const parts = read(freeze(play.core.state));
  for (const name of parts.keys()) {
    const without = new Map(parts);
    without.delete(name);
    t.throws(() => thawed(without), { name: 'RangeError' }, name);
  }
  const rows = JSON.parse(parts.get('job/rows')!.toString()) as object;
  const other = new Map(parts).set('job/rows', Buffer.from(JSON.stringify({ ...rows, rowBytes: 8 })));
  t.throws(() => thawed(other), { message: /rows of 8 bytes/ });
  t.end();
});
