/** An actor that is set aside is taken back or dropped by a recorded command, and every replay agrees. */
import t, { type Test } from 'tap';
import { list } from '../../actors/actor/commands/list.js';
import { message } from '../../actors/reply.js';
import type { Partition } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import type { journal } from '../../protocols/messages.js';
import { decodeCommit } from '../../streams/contents.js';
import { newCore, ok, Play, token } from '../../tests/play.js';
import { CASES, folded, GARBAGE, hashOf, led, poisoned, thawed, TWICE, type Poisoned } from '../../tests/poisoned.js';
import { decideCommitAgain } from './decide-again.js';

function repaired(play: Play, id: string, as: 'failed' | 'ready' | 'dropped', commandId = ''): unknown {
  const request = { partition: 0 as Partition, of: 'job', id, as, reason: 'a mistake of 0.4.0', commandId };
  return play.ask({ kind: 'repair', ...request, by: 'ops' }).answer;
}

/** Every replay agrees with the leader, also from a state that was frozen before the repair. */
function agree(t: Test, { commits }: Poisoned, play: Play): journal.Commit[] {
  const all = [...commits, ...play.commits.slice(commits.length).map(decodeCommit)];
  const whole = folded(all);
  Object.assign(play.core.state, { journalId: whole.state.journalId });
  t.equal(hashOf(play.core), hashOf(whole));
  t.equal(hashOf(folded(all, thawed(folded(commits)), commits.length)), hashOf(whole));
  const again = newCore();
  const differences: string[] = [];
  all.forEach((commit, nth) => decideCommitAgain(again.state, commit, nth + 1, ({ at, recorded, again: decided }) => {
    if (nth < commits.length) return;
    if (decided.kind !== 'decided' || decided.event.type !== recorded.event.type) differences.push(`${at.seq}`);
  }));
  t.strictSame(differences, [], 'deciding again agrees');
  return all.slice(commits.length);
}

const KEPT = CASES.filter(([, , , { status }]) => status !== 'absent');
for (const [what, type, change] of KEPT) {
  t.test(`given ${what}, when the job is repaired as ready, then it is leased again and completes`, (t) => {
    const before = poisoned(type, change);
    const { id } = before;
    const play = led(before);
    t.match(repaired(play, id, 'ready'), { answer: { as: 'ready', duplicate: false } });
    t.strictSame([...play.core.setAside], []);
    const { attempt, lease, status, place } = play.jobs.get(id)!;
    t.strictSame([status, place], ['ready', 0], 'it has its place');
    play.register('w2');
    const [grant] = play.pull('w2', 1, 1).flatMap((each) => (each.kind === 'pulled' ? each.leases : []));
    t.equal(grant?.token, token('w2', 1, id, attempt + 1, lease + 1));
    play.pull('w2', 2, 0, [], [ok(grant!.token)]);
    t.match(play.jobs.get(id), { status: 'completed' });
    const events = agree(t, before, play).flatMap(({ events: all }) => all.map((each) => each.type));
    t.strictSame(events.slice(0, 2), ['VersionBarrier', 'ActorRepaired']);
    t.end();
  });

  t.test(`given ${what}, when the job is repaired as failed, then it has ended, and its key is freed`, (t) => {
    const before = poisoned(type, change);
    const play = led(before);
    t.match(repaired(play, before.id, 'failed', 'r-1'), { answer: { as: 'failed', duplicate: false } });
    t.match(repaired(play, before.id, 'failed', 'r-1'), { answer: { as: 'failed', duplicate: true } });
    const conflict = { kind: 'refused', rejection: { code: 'COMMAND_CONFLICT' } };
    t.match(play.ask({ kind: 'cancel', target: { jobId: before.id }, reason: '', commandId: 'r-1' }).answer, conflict);
    const failure = { code: 'BROKEN_HISTORY', message: 'a mistake of 0.4.0' };
    t.match(play.jobs.get(before.id), { status: 'failed', failure });
    const [repair] = agree(t, before, play);
    t.match(repair?.events.map((each) => [each.type, each.cause?.type, each.cause?.by]), [
      ['VersionBarrier', 'RepairActor', 'ops'], ['ActorRepaired', 'RepairActor', 'ops'],
      ['JobFailed', 'RepairActor', 'ops'],
    ]);
    t.match(play.jobs.keys.find('default/a', play.nowMs), { jobId: before.id });
    t.equal(play.jobs.keys.find('default/a', play.nowMs + 3_600_001), undefined);
    t.end();
  });
}

t.test('what cannot be taken back can be dropped, and begins anew', (t) => {
  const before = poisoned('JobSubmitted', GARBAGE);
  const play = led(before);
  t.match(repaired(play, before.id, 'failed'), { rejection: { code: 'INVALID_ARGUMENT' } });
  t.match(repaired(play, '0-0000000000000999', 'dropped'), { rejection: { code: 'NOT_FOUND' } });
  t.match(repaired(play, before.id, 'dropped'), { answer: { as: 'dropped' } });
  t.match(repaired(play, before.id, 'dropped'), { rejection: { code: 'NOT_FOUND' } });
  agree(t, before, play);

  const ended = poisoned('JobFailed', TWICE);
  const other = led(ended);
  t.match([...other.core.setAside], [{ status: 'failed', reason: 'chart' }]);
  t.match(repaired(other, ended.id, 'ready'), { rejection: { code: 'ALREADY_ENDED' } });
  t.match(repaired(other, ended.id, 'dropped'), { answer: { as: 'dropped' } });
  agree(t, ended, other);
  t.end();
});

t.test('it is listed, and shown as it was', (t) => {
  const before = poisoned('JobLeased', GARBAGE);
  const play = led(before);
  const why = 'JobLeased at 4.0 has a body that cannot be decoded (ready)';
  const { id } = before;
  const shown = { job: { id, key: 'a', status: 'ready' }, setAside: why };
  t.match(play.ask({ kind: 'get', target: { jobId: id } }).answer, shown);
  const to = { replyTo: 'replyTo' } as const;
  play.core.step(play.moment, (step) => list.decide(step, { limit: 5 }, { to, by: '' }));
  const [listed] = play.commit();
  const actors = [{ partition: 0, kind: 'job', id, status: 'ready', why, skipped: 1 }];
  t.match(listed, { answer: { total: 1, actors } });
  t.end();
});

t.test('given more than a reply holds, then the first are listed, and how many there are', (t) => {
  const play = new Play();
  for (let nth = 0; nth < 700; nth += 1) {
    const detail = 'é'.repeat(512);
    const where = { seq: 1, index: 0, type: 'ActorSetAside', sinceMs: 1, status: 'ready', skipped: 0 };
    play.core.state.aside.add({ kind: 'job', id: `0-${nth}`, reason: 'decision', detail, ...where }, undefined);
  }
  const to = { replyTo: 'replyTo' } as const;
  play.core.step(play.moment, (step) => list.decide(step, { limit: 1_000 }, { to, by: '' }));
  const [listed] = play.commit();
  const { answer } = listed as { answer: object };
  const merged = list.routing.merge([message(answer), message(answer), message(answer)], { limit: 1_000 });
  for (const [of, total] of [[answer, 700], [merged.message, 2_100]] as const) {
    const { actors } = of as { actors: readonly unknown[] };
    t.match(of, { total, actors: [{ id: '0-0' }, { id: '0-1' }] });
    t.ok(Buffer.byteLength(JSON.stringify(of)) < LIMITS.requestBytes, `${actors.length} of ${total}`);
  }
  t.end();
});
