/** Journals with events that cannot be folded: one actor is set aside, and all others are as if it were not there. */
import fc from 'fast-check';
import t from 'tap';
import { whyAside } from '../../actors/actor/aside.js';
import { jobKind } from '../../actors/job/job.kind.js';
import { acts, Actors } from '../../tests/acts.js';
import { decide, decidedIn, first, job, newCore, ok, Play, type Asked } from '../../tests/play.js';
import {
  CASES, DROPPED, EMPTY, folded, GARBAGE, HALF, hashOf, journalOf, led, poisoned, thawed, TWICE,
  type Change, type Event,
} from '../../tests/poisoned.js';
import type { PartitionCore } from './core.js';
import { decideCommitAgain } from './decide-again.js';
import { placesOf, restore, viewOf } from './state.js';

const json = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
const TO = { replyTo: 'replyTo' } as const;
function asked<Verb extends Asked<'get' | 'await' | 'cancel' | 'submit'>['kind']>(
  core: PartitionCore, request: Asked<Verb>,
): unknown {
  core.step({ nowMs: core.state.nowMs, monoMs: 0, draw: 0 }, (step) => decide(step, request, TO));
  const batch = core.take();
  return decidedIn(batch?.effects ?? [])[0];
}

for (const [what, type, change, expected] of CASES) {
  t.test(`given ${what}, then that job alone is set aside, and the partition goes on`, (t) => {
    const { play, id, other, commits } = poisoned(type, change);
    const core = folded(commits);
    t.match([...core.state.aside], [{ kind: 'job', id, ...expected }]);
    const jobs = core.read(jobKind);
    t.match([...jobs.lines.ofQueue('default')], [{ running: 1, ready: 0 }], 'it is in no line');
    t.strictSame([...jobs.runningSessions].map((leases) => [...leases].map((each) => each.id)), [[other]]);

    const why = { kind: 'refused', rejection: { code: 'SET_ASIDE' } };
    const view = { kind: 'view', job: { id, status: expected.status }, setAside: String };
    const shown = expected.status === 'absent' ? why : view;
    t.match(asked(core, { kind: 'get', target: { jobId: id } }), shown);
    t.match(asked(core, { kind: 'await', target: { jobId: id }, waitMs: 9_999 }), why, 'nobody waits for its end');
    t.match(asked(core, { kind: 'cancel', target: { jobId: id }, reason: '', commandId: '' }), why);
    const again = { id: play.nextId(), job: { ...job(), key: 'a', commandId: 'c' } };
    const submit: Asked<'submit'> = { kind: 'submit', by: '', waitMs: undefined, jobs: [again] };
    const isKnown = !(type === 'JobSubmitted' && change === DROPPED);
    const twice = isKnown ? { kind: 'refused', rejection: { code: 'SET_ASIDE' } } : { kind: 'job', duplicate: false };
    t.match(asked(core, submit), { answers: [twice] }, 'it is not submitted twice, if anything says that it was once');
    const next = { id: play.nextId(), job: job() };
    t.match(asked(core, { ...submit, jobs: [next] }), { answers: [{ kind: 'job', status: 'ready' }] });
    t.end();
  });
}

t.test('every replay sets the same aside: also from a state that was frozen, and from a view', (t) => {
  for (const [what, type, change] of CASES) {
    const { commits } = poisoned(type, change);
    const whole = folded(commits);
    for (let at = 0; at <= commits.length; at += 1) {
      const half = folded(commits.slice(0, at));
      const resumed = folded(commits, thawed(half), at);
      t.equal(hashOf(resumed), hashOf(whole), `${what}, frozen at ${at}`);
      const restored = newCore();
      restore(restored.state, json(viewOf(half.state)), json(placesOf(half.state)));
      folded(commits, restored, at);
      t.strictSame(json(viewOf(restored.state)), json(viewOf(whole.state)), `${what}, restored at ${at}`);
    }
    const again = newCore();
    commits.forEach((commit, nth) => decideCommitAgain(again.state, commit, nth + 1, () => {}));
    t.strictSame(json(viewOf(again.state)), json(viewOf(whole.state)), 'deciding again agrees');
  }
  t.end();
});

t.test('why it is set aside says where, and what', (t) => {
  const [aside] = folded(poisoned('JobLeased', GARBAGE).commits).state.aside;
  t.match(whyAside(aside!), /^JobLeased at 4\.0 has a body that cannot be decoded \(ready\)$/);
  t.end();
});

t.test('given an event of a type or version that is unknown, then the partition halts as before', (t) => {
  for (const over of [{ type: 'JobTeleported' }, { version: 99 }]) {
    const { commits } = poisoned('JobLeased', (event) => [{ ...event, ...over } as Event]);
    t.throws(() => folded(commits), { code: 'JOURNAL_TOO_NEW' });
  }
  t.end();
});

t.test('given an event with an id that no job has, then it changes no job', (t) => {
  // No digit, which counts as zero where digits are not checked.
  const alike = (id: string): string => id.replace('-0', '-u');
  const { id, commits } = poisoned('JobFailed', (event) => [{ ...event, id: alike(event.id) } as Event]);
  const core = folded(commits);
  t.match(core.state.cast.get('job')!.store.get(id), { status: 'running' });
  t.match([...core.state.aside], [{ id: alike(id), status: 'absent', reason: 'chart' }]);
  t.end();
});

t.test('given a worker or a queue whose events cannot be folded, then it is refused, and its jobs go on', (t) => {
  const play = new Play();
  play.register('w1');
  const queue = { queue: 'default', reason: '', commandId: '' };
  play.ask({ kind: 'pause', ...queue });
  play.ask({ kind: 'resume', ...queue });
  const id = play.submit();
  play.pull('w1', 1, 1);
  const core = folded(journalOf(play, (event) => (event.kind === 'job' ? [event] : GARBAGE(event))));
  t.match([...core.state.aside], [{ kind: 'worker', skipped: 0 }, { kind: 'queue', skipped: 1 }]);
  core.lead(play.moment);
  t.match(core.state.cast.get('job')!.store.get(id), { status: 'running' });
  const why = { kind: 'refused', rejection: { code: 'SET_ASIDE' } };
  t.match(asked(core, { kind: 'pause', ...queue } as never), why);
  const worker = { workerId: 'w1', session: 's', types: ['x'], queues: [], capacity: 1, software: '' };
  t.match(asked(core, { kind: 'register', proof: '', worker } as never), why);
  t.end();
});

const changes: fc.Arbitrary<Change> = fc.oneof(
  fc.constantFrom(EMPTY, GARBAGE, DROPPED, TWICE, HALF),
  fc.uint8Array({ maxLength: 40 }).map((body): Change => (event) => [{ ...event, body } as Event]),
  fc.nat(60).map((length): Change => (event) => [{ ...event, body: event.body.subarray(0, length) } as Event]),
);
const tampering = fc.array(fc.record({ nth: fc.nat(60), change: changes }), { minLength: 1, maxLength: 4 });

interface View {
  readonly commands: readonly [string, { readonly id: string }][];
  readonly kinds: { readonly job: { readonly state: JobsView }; readonly worker: { readonly state: WorkersView } };
}
interface JobsView {
  readonly jobs: readonly { readonly id: string; readonly place: number }[];
  readonly ended: readonly [string, number][];
  readonly keys: readonly [string, { readonly jobId: string }][];
  readonly pastKeys: readonly [string, { readonly jobId: string }][];
}
interface WorkersView {
  readonly workers: readonly { readonly id: string }[];
}

/** The view without some actors, and without places, which count the submissions before. */
function without(victims: ReadonlySet<string>, core: PartitionCore): object {
  const { commands, kinds: { job: jobs, worker: { state: { workers } } } } = viewOf(core.state) as never as View;
  const { state: { jobs: all, ended, keys, pastKeys } } = jobs;
  const isOther = ([, { jobId }]: readonly [string, { readonly jobId: string }]): boolean => !victims.has(jobId);
  return {
    jobs: all.filter(({ id }) => !victims.has(id)).map((each) => ({ ...each, place: 0 })),
    ended: ended.filter(([id]) => !victims.has(id)), keys: keys.filter(isOther), pastKeys: pastKeys.filter(isOther),
    workers: workers.filter(({ id }) => !victims.has(id)), commands: commands.filter(([, { id }]) => !victims.has(id)),
  };
}

t.test('property: whichever events are broken, the partition goes on and all other actors are as without them', (t) => {
  const scripts = fc.array(acts, { minLength: 5, maxLength: 60, size: 'max' });
  fc.assert(fc.property(scripts, tampering, fc.nat(), (script, how, at) => {
    const actors = new Actors();
    for (const act of script) actors.act(act);
    const { play } = actors;
    const victims = new Set<string>();
    const broken = new Map(how.map(({ nth, change }) => [nth, change]));
    const commits = journalOf(play, (event, nth) => {
      const change = broken.get(nth);
      // A barrier concerns the whole partition.
      if (change === undefined || event.type === 'VersionBarrier') return [event];
      victims.add(event.id);
      return change(event);
    });
    const core = folded(commits);
    for (const { id } of core.state.aside) if (!victims.has(id)) t.fail(`${id} is set aside`);
    t.strictSame(json(without(victims, core)), json(without(victims, play.replayed())));
    const half = folded(commits.slice(0, at % commits.length));
    t.equal(hashOf(folded(commits, thawed(half), at % commits.length)), hashOf(core));
    core.lead(play.moment);
    for (const ms of [0, 1_000_000]) {
      core.tick({ ...play.moment, nowMs: play.moment.nowMs + ms });
      for (let batch = core.take(); batch; batch = core.take());
    }
  }), { numRuns: 200 });
  t.end();
});

t.test('a lease of a job that is set aside is nobody’s: its token is revoked, and its report is stale', (t) => {
  const before = poisoned('JobFailed', HALF);
  const { id, other } = before;
  const play = led(before);
  play.register('w1');
  const [mine, its] = [first('w1', other), first('w1', id)];
  t.match(play.pull('w1', 9, 0, [its, mine]), [{ kind: 'pulled', revoked: [its] }]);
  const pulled = play.pull('w1', 10, 0, [mine], [ok(its)]).find(({ kind }) => kind === 'pulled');
  t.match(pulled, { revoked: [its], rejected: [] }, 'a stale report changes nothing');
  t.end();
});
