/** For how long contents are kept is a recorded fact: every replay and every snapshot agrees. */
import t from 'tap';
import { LIMITS } from '../../protocols/limits.js';
import { decodeCommit } from '../../streams/contents.js';
import { newCore, Play } from '../../tests/play.js';
import { freeze, placesOf, restore, thaw, viewOf, type PartitionState } from './state.js';

const DAY_MS = 24 * 3_600_000;

const set = (play: Play, queue: string, contentMs: number | undefined, commandId = '') => play.ask({
  kind: 'set', by: 'ops', queue, contentMs: contentMs ?? 0, unset: contentMs === undefined, commandId,
}).answer;

/** Of all commits, without barriers. */
const eventsIn = (play: Play) => play.commits.flatMap((bytes) => decodeCommit(bytes).events)
  .filter(({ type }) => type !== 'VersionBarrier');

const folded = (play: Play): PartitionState => {
  const core = newCore();
  play.commits.forEach((bytes, nth) => core.replay(decodeCommit(bytes), nth + 1));
  return core.state;
};

t.test('given no setting, then contents are kept for ever, and the view is as it was before there were any', (t) => {
  const play = new Play();
  t.equal(play.core.retention.contentMs('orders'), 0);
  t.notOk('retention' in viewOf(play.core.state));
  t.end();
});

t.test('when a queue’s retention is set, then it is recorded with its cause, behind a barrier', (t) => {
  const play = new Play();
  t.match(set(play, 'orders', 30 * DAY_MS, 'c-1'), { kind: 'other', answer: { partition: 0, duplicate: false } });
  const [event] = eventsIn(play);
  t.match(event, {
    kind: 'partition', id: '0', type: 'RetentionSet', cause: { commandId: 'c-1', type: 'SetRetention', by: 'ops' },
  });
  t.match(decodeCommit(play.commits[0]!).events[0], { type: 'VersionBarrier' });
  t.equal(play.core.retention.contentMs('orders'), 30 * DAY_MS);
  t.equal(play.core.retention.contentMs('invoices'), 0, 'others are as before');
  t.strictSame([...play.core.retention], [
    { queue: 'orders', contentMs: 30 * DAY_MS, by: 'ops', sinceMs: play.nowMs },
  ]);
  t.end();
});

t.test('a queue without a setting of its own follows the default, and one that is unset follows it again', (t) => {
  const play = new Play();
  set(play, '', 90 * DAY_MS);
  set(play, 'orders', 0);
  const kept = (): number[] => ['orders', 'invoices'].map((queue) => play.core.retention.contentMs(queue) / DAY_MS);
  t.strictSame(kept(), [0, 90], 'for ever is a setting, too');
  set(play, 'orders', undefined);
  t.strictSame(kept(), [90, 90]);
  set(play, '', undefined);
  t.strictSame(kept(), [0, 0]);
  t.notOk('retention' in viewOf(play.core.state));
  t.end();
});

t.test('what is so already is not recorded again, and a repeated command changes nothing', (t) => {
  const play = new Play();
  set(play, 'orders', undefined);
  t.equal(play.commits.length, 0, 'nothing was set');
  set(play, 'orders', DAY_MS, 'c-1');
  set(play, 'orders', DAY_MS);
  set(play, 'orders', 2 * DAY_MS);
  t.equal(eventsIn(play).length, 2);
  t.match(set(play, 'orders', DAY_MS, 'c-1'), { answer: { duplicate: true } });
  t.equal(play.core.retention.contentMs('orders'), 2 * DAY_MS);
  t.match(set(play, 'invoices', DAY_MS, 'c-1'), { rejection: { code: 'COMMAND_CONFLICT' } });
  t.end();
});

t.test('given as many settings as a partition may have, then another one is refused, but a change is not', (t) => {
  const play = new Play();
  for (let nth = 0; nth < LIMITS.retentionSettings; nth += 1) set(play, `q${nth}`, DAY_MS);
  t.match(set(play, 'more', DAY_MS), { rejection: { code: 'INVALID_ARGUMENT' } });
  t.match(set(play, 'q7', 2 * DAY_MS), { kind: 'other' });
  set(play, 'q8', undefined);
  t.match(set(play, 'more', DAY_MS), { kind: 'other' });
  t.end();
});

t.test('replays and snapshots have the settings', (t) => {
  const play = new Play();
  set(play, '', 90 * DAY_MS, 'c-1');
  set(play, 'orders', DAY_MS);
  set(play, 'invoices', 0);
  set(play, 'orders', undefined);
  const whole = folded(play);
  const view = viewOf(whole);
  t.strictSame(view.retention, viewOf(play.core.state).retention);
  t.strictSame(view.retention?.map(({ queue, contentMs }) => [queue, contentMs]), [['', 90 * DAY_MS], ['invoices', 0]]);
  const empty = (): PartitionState => newCore().state;
  const thawed = empty();
  thaw(thawed, new Map(freeze(whole).map((part) => [part.name, part.bytes()])));
  t.strictSame(viewOf(thawed), view);
  const restored = empty();
  restore(restored, JSON.parse(JSON.stringify(view)), JSON.parse(JSON.stringify(placesOf(whole))));
  t.strictSame(viewOf(restored), view);
  t.end();
});
