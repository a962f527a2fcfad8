/** Settings of queues and groups: what is accepted, what they become, and what a submit is filled in with. */
import fc from 'fast-check';
import t from 'tap';
import { newCore, Play, POLICY } from '../../tests/play.js';
import { decideCommitAgain } from '../../partition/core/decide-again.js';
import { freeze, placesOf, restore, thaw, viewOf } from '../../partition/core/state.js';
import type { PartitionCore } from '../../partition/core/core.js';
import { job as jobMessages, queue as messages } from '../../protocols/messages.js';
import { validated } from '../../protocols/bounds.js';
import type { Rejection } from '../../protocols/errors.js';
import { decodeCommit } from '../../streams/contents.js';
import { submitJob } from '../job/job.submit.js';
import { parseJson } from '../../gateways/json.js';
import { checkSettings } from './check-settings.js';
import { set } from './commands/set.js';
import { recordedIn } from '../fields.js';
import { pageOf } from './page.js';
import { queueKind } from './queue.kind.js';
import { SETTINGS, type GivenSettings, type QueueSettings, type SettingName } from './settings.js';
import { statsOf } from './stats.js';

interface Change { settings?: GivenSettings; unset?: SettingName[]; reason?: string; commandId?: string }

function configure(play: Play, queue: string, { settings = {}, unset = [], reason = '', commandId = '' }: Change): string {
  const change = checkSettings(queue, settings, unset);
  const { answer } = play.ask<'queue.set'>({ kind: 'queue.set', queue, reason, commandId, by: 'anna', ...change });
  return answer?.kind === 'refused' ? answer.rejection.message : '';
}
const settingsOf = (core: PartitionCore, name: string): QueueSettings | undefined => core.read(queueKind).settingsOf(name);
const pause = (play: Play, queue: string, kind: 'pause' | 'resume' = 'pause'): unknown =>
  play.ask<'pause' | 'resume'>({ kind, queue, reason: 'closed', commandId: '', by: 'anna' });

/** The decoded request of a client that sends protobuf. */
const decoded = (settings: object): messages.SetQueue =>
  messages.SetQueue.decode(messages.SetQueue.encode({ queue: 'q', settings }).finish()) as messages.SetQueue;

t.test('what is refused, and why', (t) => {
  const weights = Object.fromEntries(Array.from({ length: 1_001 }, (_, nth) => [`t${nth}`, 2]));
  const table: [queue: string, settings: object, unset: string[], RegExp][] = [
    ['q', { concurrency: 0 }, [], /^concurrency must be a whole number from 1 to 1000000, not 0$/],
    ['q', { concurrency: -1 }, [], /not -1$/], ['q', { concurrency: 1e300 }, [], /not 1e\+300$/],
    ['q', { concurrency: 1.5 }, [], /not 1\.5$/], ['q', { rate: { count: 5 } }, [], /^rate\.perMs is missing$/],
    ['q', { rate: {} }, [], /^rate\.count is missing$/], ['q', { rate: { count: 0, perMs: 1 } }, [], /^rate\.count .* not 0$/],
    ['q', { rate: { count: 1, perMs: 1, burst: 0 } }, [], /^rate\.burst .* not 0$/],
    ['q', { perKey: { label: 'tenant' } }, [], /^perKey needs a concurrency or a rate$/],
    ['q', { perKey: { concurrency: 1 } }, [], /^perKey\.label is missing$/],
    ['q', { perKey: { label: 'a b', concurrency: 1 } }, [], /^perKey\.label must be the name of a label/],
    ['q', { fair: { weights: { a: 1 } } }, [], /^fair\.label is missing$/],
    ['q', { fair: { label: 'tenant', weights: { acme: 0 } } }, [], /^fair\.weights\.acme .* from 1 to 1000, not 0$/],
    ['q', { fair: { label: 'tenant', weights } }, [], /^fair\.weights must have at most 1000 entries, not 1001$/],
    ['q', { ageingPerMinute: -1 }, [], /^ageingPerMinute/], ['q', { ageingPerMinute: Number.NaN }, [], /^ageingPerMinute/],
    ['q', { priority: {} }, [], /^priority needs rules or deadlines$/],
    ['q', { priority: { rules: [{ label: 'tier' }] } }, [], /^priority\.rules\.values is missing$/],
    ['q', { priority: { deadlines: [{ withinMs: 5, priority: 1 }, { withinMs: 5, priority: 2 }] } }, [], /5 twice$/],
    ['q', { priority: { deadlines: [{ withinMs: 0, priority: 1 }] } }, [], /^priority\.deadlines\.withinMs/],
    ['q', { unworkableAfterMs: 0 }, [], /^unworkableAfterMs/], ['q', { failedKept: 100_001 }, [], /^failedKept/],
    ['q', { defaults: { retry: { maxAttempts: 1_001 } } }, [], /^defaults\.retry\.maxAttempts/],
    ['q', { defaults: {} }, [], /^defaults must not be empty/], ['q', {}, [], /^nothing is set/],
    ['q', {}, ['rats'], /^unset: there is no setting "rats"; did you mean "rate"\?$/],
    ['q', { concurrency: 1 }, ['concurrency'], /^concurrency cannot be set and unset at once$/],
    ['images/', { ageingPerMinute: 1 }, [], /^ageingPerMinute is a setting of queues; a group has concurrency, rate/],
  ];
  for (const [queue, settings, unset, says] of table) {
    const refused = validated(() => checkSettings(queue, settings, unset)) as Partial<Rejection>;
    t.match(refused.message, says, JSON.stringify(settings).slice(0, 60));
    t.equal(refused.code, 'INVALID_ARGUMENT');
  }
  const json = (settings: object): string =>
    (parseJson(set, Buffer.from(JSON.stringify({ queue: 'q', settings }))) as Partial<Rejection>).message ?? '';
  t.equal(json({ concurency: 1 }), 'unknown field "concurency" in settings; did you mean "concurrency"?');
  t.equal(json({ rate: { cont: 1 } }), 'unknown field "cont" in settings.rate; did you mean "count"?');
  t.match(json({ fair: { label: 'a', weights: { b: 0 } } }), /settings\.fair\.weights\.b must be a whole number from 1 to 1000/);
  t.end();
});

const count = fc.integer({ min: 1, max: 100 });
const points = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const value = fc.stringMatching(/^[a-z]{1,3}$/);
const rate = fc.record({ count, perMs: count, burst: count }, { requiredKeys: ['count', 'perMs'] });
const given: fc.Arbitrary<GivenSettings> = fc.record({
  concurrency: count, rate,
  perKey: fc.record({ label: fc.constant('tenant'), concurrency: count, rate, byType: fc.boolean() }, { requiredKeys: ['label', 'concurrency'] }),
  fair: fc.record({ label: fc.constant('tenant'), weights: fc.dictionary(value, count) }, { requiredKeys: ['label'] }),
  ageingPerMinute: fc.constantFrom(0, 0.5, 7),
  priority: fc.record({
    rules: fc.array(fc.record({ label: fc.constantFrom('tier', 'tenant'), values: fc.dictionary(value, points, { minKeys: 1 }) }), { minLength: 1, maxLength: 3 }),
    deadlines: fc.uniqueArray(fc.record({ withinMs: count, priority: points }), { minLength: 1, maxLength: 3, selector: ({ withinMs }) => withinMs }),
  }, { requiredKeys: ['rules'] }),
  unworkableAfterMs: count,
  defaults: fc.record({
    retry: fc.record({ maxAttempts: count, nonRetryable: fc.array(value, { maxLength: 2 }), backoff: fc.record({ initialMs: fc.nat(9), jitter: fc.constantFrom(0, 0.5) }, { requiredKeys: ['jitter'] }) }, { requiredKeys: ['maxAttempts'] }),
    timeouts: fc.record({ attemptMs: fc.nat(9), totalMs: count }, { requiredKeys: ['attemptMs'] }),
  }, { requiredKeys: ['retry'] }),
  failedKept: fc.nat(100),
}, { requiredKeys: ['concurrency'] });

t.test('property: settings are the same in protobuf and in JSON, and after they were recorded', (t) => {
  fc.assert(fc.property(given, (settings) => {
    const checked = checkSettings('q', settings, []).settings;
    t.strictSame(checkSettings('q', decoded(settings).settings!, []).settings, checked, 'as a client sends it');
    t.strictSame(checkSettings('q', JSON.parse(JSON.stringify(settings)) as object, []).settings, checked);
    t.strictSame(recordedIn(SETTINGS, decoded(checked).settings!), checked, 'as it is folded');
  }), { numRuns: 300 });
  t.end();
});

t.test('given settings, when some are changed and unset, then the others stay, and the event has all', (t) => {
  const play = new Play();
  configure(play, 'images/high', { settings: { concurrency: 3, rate: { count: 9, perMs: 60_000 } }, reason: 'launch' });
  const [event] = decodeCommit(play.commits.at(-1)!).events.slice(-1);
  t.match(event, { kind: 'queue', id: 'images/high', type: 'QueueConfigured', cause: { type: 'SetQueue', by: 'anna' } });
  const before = play.commits.length;
  configure(play, 'images/high', { settings: { concurrency: 3 } });
  t.equal(play.commits.length, before, 'what is so already is not recorded');
  configure(play, 'images/high', { settings: { ageingPerMinute: 0 }, unset: ['concurrency'] });
  const after = { rate: { count: 9, perMs: 60_000, burst: 9 }, ageingPerMinute: 0 };
  for (const core of [play.core, play.replayed()]) t.strictSame(settingsOf(core, 'images/high'), after);
  t.equal(settingsOf(play.core, 'images/'), undefined, 'of exactly this queue');
  t.match(statsOf(play.core, 'images/high'), { status: 'open', settings: after, settingsBy: 'anna' });
  t.match(pageOf(play.core, { after: '', limit: 9 }), { queues: [{ queue: 'images/high' }] });
  configure(play, 'images/high', { unset: ['rate', 'ageingPerMinute'] });
  play.submit();
  t.strictSame([...play.core.read(queueKind).all()], [], 'an open queue without settings is forgotten');
  t.match(viewOf(play.core.state), { versionBarrier: { reader: 3 } }, 'what 0.3.0 cannot read is behind a barrier');
  t.end();
});

t.test('given a paused queue, when it is configured, then the pause and its reason stay', (t) => {
  const play = new Play();
  pause(play, 'orders');
  configure(play, 'orders', { settings: { concurrency: 3 }, reason: 'other' });
  for (const core of [play.core, play.replayed()]) {
    t.match(core.read(queueKind).get('orders'), { status: 'paused', reason: 'closed', configured: { settings: { concurrency: 3 } } });
  }
  pause(play, 'orders', 'resume');
  play.submit();
  t.match(play.core.read(queueKind).get('orders'), { status: 'open', configured: { by: 'anna' } }, 'and settings stay');
  t.end();
});

t.test('a command id that comes again, and one that was used for another queue or command', (t) => {
  const play = new Play();
  t.equal(configure(play, 'orders', { settings: { concurrency: 3 }, commandId: 'c' }), '');
  t.equal(configure(play, 'orders', { settings: { concurrency: 4 }, commandId: 'c' }), '');
  t.strictSame(settingsOf(play.core, 'orders'), { concurrency: 3 });
  t.match(configure(play, 'other', { settings: { concurrency: 3 }, commandId: 'c' }), /was used for a SetQueue of orders/);
  t.end();
});

t.test('a queue and its group have one label; queues of other groups have their own', (t) => {
  const play = new Play();
  const per = (label: string): Change => ({ settings: { perKey: { label, concurrency: 1 } } });
  t.equal(configure(play, 'images/high', per('tenant')), '');
  t.match(configure(play, 'images/high', { settings: { fair: { label: 'user' } } }), /one label, not tenant and user/);
  t.match(configure(play, 'images/', per('user')), /images\/high has tenant, not user/);
  t.equal(configure(play, 'images/', per('tenant')), '');
  t.match(configure(play, 'images', { settings: { fair: { label: 'user' } } }), /images\/ has tenant, not user/);
  t.equal(configure(play, 'mail/high', per('user')), '');
  t.equal(settingsOf(play.core, 'images'), undefined, 'what was refused changed nothing');
  t.end();
});

t.test('given a paused group, then all its queues are held and no others, until it is resumed', (t) => {
  const play = new Play();
  play.submit({ queue: 'images/high' });
  pause(play, 'images/');
  for (const queue of ['images/high', 'images/low', 'images']) {
    t.throws(() => play.submit({ queue }), /QUEUE_PAUSED.*its group images was paused by anna: closed/, queue);
  }
  for (const queue of ['image', 'images2', 'other/images']) t.doesNotThrow(() => play.submit({ queue }), queue);
  for (const core of [play.core, play.replayed()]) {
    t.ok(core.isHeld('images/low'));
    t.ok(core.heldQueues().has('images/low'));
    t.notOk(core.isHeld('images2'));
  }
  t.match(statsOf(play.core, 'images/high'), { status: 'paused', ready: 1, paused: { group: 'images', by: 'anna' } });
  t.match(statsOf(play.core, 'images/'), { status: 'paused', ready: 1 }, 'a group has the sums');
  pause(play, 'images/high', 'resume');
  t.ok(play.core.isHeld('images/high'), 'to resume the queue does not resume its group');
  pause(play, 'images/', 'resume');
  t.doesNotThrow(() => play.submit({ queue: 'images/high' }));
  t.end();
});

/** As it was submitted, and comes to the leader. */
function submitted(play: Play, queue: string, fields: object): { priority: number; policy: object; totalDueMs: number } {
  const message = jobMessages.SubmitJob.create({ type: 'x', queue, payload: Buffer.from('1'), ...fields });
  const bytes = jobMessages.SubmitJob.encode(message).finish();
  const checked = submitJob(jobMessages.SubmitJob.decode(bytes) as jobMessages.SubmitJob, play.nowMs);
  const { priority, policy, totalDueMs } = play.jobs.get(play.submit(checked))!;
  return { priority, policy: { ...policy }, totalDueMs };
}

t.test('what a submit leaves out comes from the queue, then its group, then the built-in defaults', (t) => {
  const play = new Play();
  const builtIn = submitted(play, 'plain', {}).policy as Record<string, unknown>;
  t.match(builtIn, { maxAttempts: 3, backoffInitialMs: 1_000, attemptMs: 1_800_000 });
  configure(play, 'images/', { settings: { defaults: { retry: { maxAttempts: 7, backoff: { factor: 3 } }, timeouts: { attemptMs: 1 } } } });
  configure(play, 'images/high', { settings: { defaults: { retry: { maxAttempts: 5, backoff: { jitter: 0 } }, timeouts: { totalMs: 9_000 } } } });
  const high = { ...builtIn, maxAttempts: 5, backoffFactor: 3, backoffJitter: 0, attemptMs: 1 };
  t.strictSame(submitted(play, 'images/high', {}), { priority: 0, policy: high, totalDueMs: play.nowMs + 9_000 });
  t.strictSame(submitted(play, 'images/low', {}).policy, { ...builtIn, maxAttempts: 7, backoffFactor: 3, attemptMs: 1 });
  t.strictSame(submitted(play, 'images', {}).policy, submitted(play, 'images/low', {}).policy);
  const asked = { retry: { maxAttempts: 2, backoff: { initialMs: 5 } }, timeouts: { attemptMs: 0, totalMs: 0 } };
  t.strictSame(submitted(play, 'images/high', asked), {
    priority: 0, policy: { ...high, maxAttempts: 2, backoffInitialMs: 5, attemptMs: 0 }, totalDueMs: 0,
  });
  t.strictSame(submitted(play, 'plain', {}).policy, builtIn, 'other queues are as before');
  t.end();
});

t.test('a priority that is not given is worked out by the policy of the queue', (t) => {
  const play = new Play();
  configure(play, 'q', { settings: { priority: {
    rules: [{ label: 'tier', values: { gold: 100, silver: 50 } }, { label: 'urgent', values: { yes: 2 ** 31 - 1, no: -5 } }],
    deadlines: [{ withinMs: 60_000, priority: 3 }, { withinMs: 10_000, priority: 30 }],
  } } });
  const table: [fields: object, priority: number][] = [
    [{}, 0], [{ labels: { tier: 'gold' } }, 100], [{ labels: { tier: 'gold', urgent: 'no' } }, 95], [{ labels: { tier: 'tin' } }, 0],
    [{ labels: { tier: 'constructor', toString: 'x' } }, 0], [{ labels: { tier: 'gold', urgent: 'yes' } }, 2 ** 31 - 1],
    [{ timeouts: { totalMs: 10_000 } }, 30], [{ timeouts: { totalMs: 10_001 } }, 3], [{ timeouts: { totalMs: 60_001 } }, 0],
    [{ timeouts: { totalMs: 60_001 }, delayMs: 55_000 }, 30], [{ timeouts: { totalMs: 9_000 }, labels: { tier: 'silver' } }, 80],
    [{ priority: 7, labels: { tier: 'gold' } }, 7], [{ priority: 0, labels: { tier: 'gold' } }, 0],
    [{ priority: -(2 ** 31) }, -(2 ** 31)], [{ priority: 2 ** 31 - 1 }, 2 ** 31 - 1],
  ];
  for (const [fields, priority] of table) t.equal(submitted(play, 'q', fields).priority, priority, JSON.stringify(fields));
  t.end();
});

const names = fc.constantFrom('a', 'g/a', 'g/b', 'g', 'g/');
const act = fc.oneof(
  fc.record({ do: fc.constant('set' as const), name: names, given }),
  fc.record({ do: fc.constant('unset' as const), name: names }),
  fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const), name: names }),
  fc.record({ do: fc.constant('submit' as const), name: names, asks: fc.boolean() }),
);

t.test('property: a replay, a new leader and a snapshot have the same settings; decided again, all events are the same', (t) => {
  fc.assert(fc.property(fc.array(act, { maxLength: 30 }), (script) => {
    const play = new Play();
    for (const each of script) {
      const isGroup = each.name.endsWith('/');
      if (each.do === 'set') {
        const { concurrency, rate, perKey, defaults } = each.given;
        const settings = isGroup ? { concurrency, rate, perKey, defaults } as GivenSettings : each.given;
        configure(play, each.name, { settings });
      } else if (each.do === 'unset') configure(play, each.name, { unset: ['concurrency', 'fair', 'defaults'] });
      else if (each.do !== 'submit') pause(play, each.name, each.do);
      else if (!isGroup && !play.core.isHeld(each.name)) submitted(play, each.name, each.asks ? { priority: 4, retry: { maxAttempts: 2 } } : {});
    }
    const again = newCore();
    for (const [nth, bytes] of play.commits.entries()) {
      decideCommitAgain(again.state, decodeCommit(bytes), nth + 1, ({ recorded, again: decided }) => {
        t.equal(decided.kind, 'decided', recorded.event.type);
        if (decided.kind === 'decided') t.match(decided.event, { type: recorded.event.type, body: { status: recorded.event.body.status } });
      });
    }
    const [restored, thawed] = [newCore(), newCore()];
    restore(restored.state, JSON.parse(JSON.stringify(viewOf(play.core.state))), JSON.parse(JSON.stringify(placesOf(play.core.state))));
    thaw(thawed.state, new Map(freeze(play.core.state).map((part) => [part.name, Buffer.from(part.bytes())])));
    const { kinds } = viewOf(play.core.state);
    for (const core of [restored, thawed, play.replayed(), again]) t.strictSame(viewOf(core.state).kinds, kinds);
    for (const core of [restored, thawed, play.replayed()]) {
      for (const name of ['a', 'g', 'g/a', 'g/b', 'g/']) t.equal(core.isHeld(name), play.core.isHeld(name));
    }
  }), { numRuns: 60 });
  t.equal(POLICY.maxAttempts, 3);
  t.end();
});
