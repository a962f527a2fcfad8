/** A decision is in one commit as a whole: what it makes beyond its room is a broken invariant. */
import t from 'tap';
import type { CastMember } from '../../actors/cast.js';
import { jobKind } from '../../actors/job/job.kind.js';
import { KINDS } from '../../actors/kinds.js';
import type { Kind } from '../../actors/kind.js';
import type { Cause, Step } from '../../actors/step.js';
import { PartitionCore } from '../../partition/core/core.js';
import { receive, settle } from '../../partition/core/deliveries.js';
import { KEYRING, leasesIn, Play, POLICY, salts } from '../play.js';
import { viewOf } from '../../partition/core/state.js';
import type { Partition } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import { counterKind, counters, startCounter, type CounterRole } from './counter.js';
import { deliverables } from './world.js';

const [P0, P1] = [0, 1] as [Partition, Partition];
const CAUSE: Cause = { commandId: '', type: 'Test', by: '' };
const START_MS = 1_700_000_000_000;
const at = (ms: number) => ({ nowMs: START_MS + ms, monoMs: ms, draw: 0.5 });
const ONCE = { to: P1, everyMs: 10, times: 1 };
const COUNTERS = counters(() => Buffer.from('default k'));

const coreWith = (kinds: readonly CastMember[], maxCommitBytes: number = LIMITS.commitBytes): PartitionCore =>
  new PartitionCore({ partition: P0, kinds: [...KINDS, ...kinds], keyring: KEYRING, salts, maxCommitBytes });

/** Events and contents of each commit, in bytes. */
function taken(core: PartitionCore): number[] {
  const sizes: number[] = [];
  for (let batch = core.take(); batch; batch = core.take()) {
    if (batch.events.length > 0) sizes.push(batch.body.events.length + batch.body.contents.length);
  }
  return sizes;
}

/** A core whose counter has sent a command. */
function sent(answered: CastMember<CounterRole>['answered'], maxCommitBytes?: number): PartitionCore {
  const core = coreWith([{ ...COUNTERS, answered: answered! }], maxCommitBytes);
  core.step(at(0), (step) => startCounter(step, 'c', ONCE));
  taken(core);
  core.tick(at(20));
  taken(core);
  return core;
}

const sending = (bodies: number, bytes: number) => (step: Step): void => {
  for (let nth = 0; nth < bodies; nth += 1) {
    step.send({ to: P1, command: 'job.submit', body: new Uint8Array(bytes) }, { kind: 'counter', id: 'c' }, CAUSE);
  }
};

t.test('given an answer, when its actor sends more than one largest body, then that is a broken invariant', (t) => {
  const settling = (core: PartitionCore) => () => core.step(at(30), () => settle(core, P1, 1, []));
  t.throws(settling(sent(sending(3, 300 * 1_024))), /wrote \d+ bytes more than it made room for/);
  const core = sent(sending(1, 320 * 1_024));
  settling(core)();
  t.ok(taken(core).every((bytes) => bytes <= LIMITS.commitBytes));
  t.equal(core.underWay(P1), 1, 'one largest body may be sent');
  t.end();
});

t.test('given commits of 200 KiB, then the largest body is one that fits, and a larger one is refused', (t) => {
  const maxCommitBytes = 200 * 1_024;
  const most = maxCommitBytes - 64 * 1_024;
  const core = sent(sending(1, most), maxCommitBytes);
  core.step(at(30), () => settle(core, P1, 1, []));
  const sizes = taken(core);
  t.ok(sizes.length > 0 && sizes.every((bytes) => bytes <= maxCommitBytes), sizes.join(' '));
  t.throws(() => core.step(at(40), (step) => {
    step.makeRoom(most + 1);
    sending(1, most + 1)(step);
  }), /has 139265 bytes; counter c may send 139264/);
  const delivered = (key: string, bytes: number) =>
    ({ command: 'job.submit', by: 'counter/c', body: Buffer.from(`default ${key}`.padEnd(bytes)) });
  const commands = [delivered('large', most + 1), delivered('small', most)];
  const delivery = { origin: 'j1', from: P1, firstSeq: 1, commands };
  const receiver = coreWith([COUNTERS], maxCommitBytes);
  receiver.step(at(0), () => receive(receiver, delivery, { deliverables, broken: new Map() }, { replyTo: 'replyTo' }));
  const refused = { seq: 1, code: 'TOO_LARGE', message: /139265 bytes, at most 139264/ };
  t.match(receiver.state.outbox.refused('j1'), [refused]);
  t.equal(receiver.read(jobKind).size, 1);
  t.end();
});

/** Another kind of counters, which is asked after the first. */
const LATER: Kind<CounterRole> = { ...counterKind, name: 'later' };
const started = { type: 'CounterStarted', body: { status: 'counting', ...ONCE, slice: 1 } } as const;
const rang = { type: 'CounterRang', body: { status: 'counting', times: 1, dueMs: 0 } } as const;

t.test('given room that a decision left, then the next one cannot use it', (t) => {
  const leaving = (step: Step): void => step.makeRoom();
  const emitting = (step: Step): void => void step.emit(LATER, 'new', started, CAUSE);
  type Hooks = Pick<CastMember<CounterRole>, 'lead' | 'tick' | 'close' | 'due'>;
  const ringing = (step: Step, { id }: { readonly id: string }): void => void step.emit(LATER, id, rang, CAUSE);
  const table: [string, Hooks, Hooks, (core: PartitionCore) => unknown][] = [
    ['step', {}, {}, (core) => core.step(at(5), emitting)],
    ['lead', { lead: leaving }, { lead: emitting }, (core) => core.lead(at(5))],
    ['tick', { tick: leaving }, { tick: emitting }, (core) => core.tick(at(5))],
    ['due', { due: leaving }, { due: ringing }, (core) => core.tick(at(15))],
    ['due, then tick', { due: leaving }, { tick: emitting }, (core) => core.tick(at(15))],
    ['close', { close: leaving }, { close: emitting }, (core) => core.take()],
  ];
  for (const [says, first, second, act] of table) {
    const core = coreWith([{ kind: counterKind, ...first }, { kind: LATER, ...second }]);
    core.step(at(0), (step) => {
      step.makeRoom(0, 4);
      step.emit(counterKind, 'c', started, CAUSE);
      step.emit(LATER, 'l', started, CAUSE);
    });
    if (says.startsWith('due')) taken(core);
    t.throws(() => act(core), /more events than it made room for/, says);
  }
  t.end();
});

t.test('when an event is made of a copy of an actor, then that is a broken invariant and nothing changes', (t) => {
  const core = coreWith([COUNTERS]);
  core.step(at(0), (step) => startCounter(step, 'c', ONCE));
  const before = JSON.stringify(viewOf(core.state));
  t.throws(() => core.step(at(1), (step) => {
    step.makeRoom();
    step.emit(counterKind, { ...step.read(counterKind).get('c')! }, rang, CAUSE);
  }), /counter c is not the one in the store/);
  t.equal(JSON.stringify(viewOf(core.state)), before);
  t.end();
});

t.test('the largest requests that are accepted have room', (t) => {
  const play = new Play();
  const names = (many: number, bytes: number): string[] =>
    Array.from({ length: many }, (_, nth) => `${nth}`.padEnd(bytes, 'x'));
  const { typesPerWorker, queuesPerWorker, labels, labelBytes, nonRetryable, failureCodeBytes } = LIMITS;
  const queues = names(queuesPerWorker, 64);
  play.register('w1', [...names(typesPerWorker - 1, 128), 'square'], queues);
  t.ok(play.commits.at(-1)!.length > 49_000);
  const [queue] = queues;
  const waits = Array.from({ length: LIMITS.backoffWaits }, () => LIMITS.delayMs);
  const wide = '\u{6c34}'.repeat(Math.floor(labelBytes / 3));
  const id = play.submit({
    queue: queue!, key: 'k'.repeat(LIMITS.keyBytes), commandId: 'c'.repeat(LIMITS.commandIdBytes), delayMs: 1,
    contentType: 't'.repeat(LIMITS.contentTypeBytes), payload: Buffer.alloc(LIMITS.payloadBytes),
    labels: Object.fromEntries(names(labels, 64).map((name) => [name, wide])),
    startMs: LIMITS.delayMs,
    policy: { ...POLICY, nonRetryable: names(nonRetryable, failureCodeBytes), backoffListMs: waits },
  });
  play.tick(10);
  const [token] = leasesIn(play.pull('w1', 1, 1));
  const failure = {
    code: 'c'.repeat(failureCodeBytes), message: 'm'.repeat(LIMITS.failureMessageBytes),
    stack: 's'.repeat(LIMITS.failureStackBytes),
  };
  play.pull('w1', 2, 0, [], [{ token: token!, outcome: { kind: 'retry', failure, afterMs: undefined } }]);
  const cancelled = { target: { jobId: id }, reason: 'r'.repeat(LIMITS.reasonBytes), commandId: 'd'.repeat(128) };
  play.ask<'cancel'>({ kind: 'cancel', ...cancelled });
  t.strictSame(play.history(id), [
    'JobSubmitted', 'JobDelayed', 'JobBecameReady', 'JobLeased', 'JobRetryScheduled', 'JobCancelled',
  ]);
  t.end();
});
