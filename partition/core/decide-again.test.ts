/** Deciding again: from the journal alone, the rules come to the events that are in it. */
import { deepStrictEqual } from 'node:assert';
import t from 'tap';
import fc from 'fast-check';
import { isRunning } from '../../actors/job/job.js';
import type { Outcome } from '../../actors/job/job.decide.js';
import { jobKind } from '../../actors/job/job.kind.js';
import { KINDS } from '../../actors/kinds.js';
import type { Asker } from '../../actors/reply.js';
import { workerKind } from '../../actors/worker/worker.kind.js';
import { parseToken, type Partition } from '../../protocols/ids.js';
import { job as messages, journal } from '../../protocols/messages.js';
import { COMMIT_VERSION, READER } from '../../streams/chain.js';
import { decodeCommit, readCommit, removeContents } from '../../streams/contents.js';
import { PartitionCore } from './core.js';
import { decideCommitAgain } from './decide-again.js';
import { differencesOf } from './decided-again.js';
import { decide, job, KEYRING, newCore, Play, POLICY, salts, session, worker, type Asked } from './play.js';

/** Something that clients, workers and time do. */
type Act =
  | { do: 'submit'; delayMs: number; runInMs: number; key: string; totalMs: number; attempts: number; jitter: number; attemptMs: number; labels: boolean }
  | { do: 'pull'; worker: string; free: number; ends: Outcome | 'nothing' }
  | { do: 'report'; worker: string; ends: Outcome }
  | { do: 'cancel'; nth: number; reason: string }
  | { do: 'drain'; worker: string; gone: boolean }
  | { do: 'tick'; ms: number }
  | { do: 'commit' };

const failures = fc.constantFrom(
  { code: 'PERFORMER_ERROR', message: 'no' }, { code: 'BAD_INPUT', message: '', stack: 'at x' }, { code: 'CANCELLED', message: '' },
);
const ends: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant<Outcome>({ kind: 'ok', result: Buffer.from('1'), contentType: '' }),
  fc.constant<Outcome>({ kind: 'ok', result: Buffer.alloc(0), contentType: 'text/plain' }),
  fc.record({ kind: fc.constant('retry' as const), failure: failures, afterMs: fc.constantFrom(undefined, undefined, 0, 700) }),
  fc.record({ kind: fc.constant('fail' as const), failure: failures }),
  fc.constant<Outcome>({ kind: 'cancelled' }),
);
const name = fc.constantFrom('w1', 'w2');
const acts: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    do: fc.constant('submit' as const), delayMs: fc.constantFrom(0, 0, 500), runInMs: fc.constantFrom(0, 0, -5, 300),
    key: fc.constantFrom('', '', 'a'), totalMs: fc.constantFrom(0, 0, 2_000), attempts: fc.integer({ min: 1, max: 3 }),
    jitter: fc.constantFrom(0, 0.5), attemptMs: fc.constantFrom(0, 700), labels: fc.boolean(),
  }),
  fc.record({ do: fc.constant('pull' as const), worker: name, free: fc.integer({ min: 0, max: 3 }), ends: fc.oneof(ends, fc.constant('nothing' as const)) }),
  fc.record({ do: fc.constant('report' as const), worker: name, ends }),
  fc.record({ do: fc.constant('cancel' as const), nth: fc.nat(8), reason: fc.constantFrom('', 'enough') }),
  fc.record({ do: fc.constant('drain' as const), worker: name, gone: fc.boolean() }),
  fc.record({ do: fc.constant('tick' as const), ms: fc.constantFrom(0, 100, 600, 1_500, 70_000) }),
  fc.constant({ do: 'commit' as const }),
);

/** Decides without committing at once, so that commits fill up while time goes on. Every decision draws another number. */
class Stage {
  readonly core = new PartitionCore({ partition: 0 as Partition, kinds: KINDS, keyring: KEYRING, salts, maxCommitBytes: 24_000 });
  readonly commits: Uint8Array[] = [];
  private readonly names = new Play();
  private nowMs = this.names.nowMs;
  private drawn = 0;
  private pullSeq = 0;

  act(act: Act): void {
    switch (act.do) {
      case 'submit': return this.submit(act);
      case 'pull': return this.pull(act);
      case 'report': return this.ask({ kind: 'report', ...this.sessionOf(act.worker), reports: this.reports(act.worker, act.ends) });
      case 'cancel': return this.cancel(act);
      case 'drain': return this.ask({ kind: 'drain', ...this.sessionOf(act.worker), gone: act.gone });
      case 'tick':
        this.nowMs += act.ms;
        return this.core.tick(this.moment);
      case 'commit': return this.commit();
      default: return act satisfies never;
    }
  }

  commit(): void {
    for (let batch = this.core.take(); batch; batch = this.core.take()) {
      if (batch.events.length === 0) continue;
      this.commits.push(batch.body.commit({
        version: COMMIT_VERSION, journalId: 'j', partition: 0 as Partition, epoch: 1, leaderId: 'l', prevSeq: batch.seq - 1,
        prevHash: new Uint8Array(), nowMs: batch.nowMs, minReader: READER,
      }));
    }
  }

  private submit({ delayMs, runInMs, key, totalMs, attempts, jitter, attemptMs, labels }: Act & { do: 'submit' }): void {
    const policy = { ...POLICY, maxAttempts: attempts, backoffJitter: jitter, attemptMs, nonRetryable: ['BAD_INPUT'] };
    const of = {
      ...job(), key, totalMs, policy, commandId: key && `c-${key}`, labels: labels ? { a: 'b' } : undefined,
      ...(runInMs === 0 ? { delayMs } : { runAtMs: this.nowMs + runInMs }),
    };
    this.ask({ kind: 'submit', by: 'client', waitMs: undefined, jobs: [{ id: this.names.nextId(), job: of }] });
  }

  private cancel({ nth, reason }: Act & { do: 'cancel' }): void {
    const one = [...this.core.read(jobKind).all()][nth];
    if (one) this.ask({ kind: 'cancel', by: 'client', target: { jobId: one.id }, reason, commandId: '' });
  }

  private pull({ worker: of, free, ends }: Act & { do: 'pull' }): void {
    const who = this.sessionOf(of);
    if (this.core.live(workerKind).get(who.session)?.draining !== false) {
      this.ask({ kind: 'register', proof: '', worker: { ...who, types: ['square'], queues: [], capacity: 10, software: '' } });
    }
    const reports = ends === 'nothing' ? [] : this.reports(of, ends);
    const held = reports.length > 0 ? [] : this.reports(of, { kind: 'cancelled' }).map(({ token }) => token);
    this.pullSeq += 1;
    this.ask({ kind: 'pull', ...who, pullSeq: this.pullSeq, free, expiresMs: 1_000, held, reports });
  }

  private reports(of: string, outcome: Outcome) {
    const { tokens } = this.core.live(jobKind);
    const running = [...this.core.read(jobKind).all()].filter((each) => isRunning(each) && each.workerId === worker(of));
    return running.map((each) => ({ token: tokens.of(each), ...parseToken(tokens.of(each))!, outcome }));
  }

  private sessionOf(of: string) {
    return { workerId: worker(of), session: session(of) };
  }

  private ask<Verb extends 'submit' | 'cancel' | 'register' | 'pull' | 'report' | 'drain'>(asked: Asked<Verb>): void {
    this.core.step(this.moment, (step) => decide(step, asked, { asker: 'asker' } as Asker));
  }

  private get moment() {
    this.drawn = (this.drawn + 0.377) % 1;
    return { nowMs: this.nowMs, monoMs: this.nowMs - 1_600_000_000_000, draw: this.drawn };
  }
}

function staged(script: readonly Act[]): Uint8Array[] {
  const stage = new Stage();
  for (const act of script) stage.act(act);
  stage.commit();
  return stage.commits;
}

const endedOf = (input: journal.Input.$Properties | null | undefined): string =>
  (input?.command ? messages.DecisionInput.decode(input.command).ended : '');

/** What an attempt that did not succeed was ended by is said after the event. */
const EVERY_WAY = [
  'JobBecameReady', 'JobCancelRequested', 'JobCancelled', 'JobCancelled cancelled', 'JobCancelled fail', 'JobCancelled retry',
  'JobCancelled silent', 'JobCancelled timed_out', 'JobCompleted', 'JobDelayed', 'JobExpired', 'JobFailed cancelled',
  'JobFailed fail', 'JobFailed retry', 'JobFailed silent', 'JobFailed timed_out', 'JobLeased', 'JobReclaimed',
  'JobRetryScheduled cancelled', 'JobRetryScheduled retry', 'JobRetryScheduled timed_out', 'JobSubmitted', 'WorkerDraining',
  'WorkerGone', 'WorkerRegistered',
];

t.test('property: whatever happens, deciding again from the journal alone comes to the bytes that are in it', async (t) => {
  const seen = new Set<string>();
  fc.assert(fc.property(fc.array(acts, { maxLength: 80, size: 'max' }), (script) => {
    const commits = staged(script);
    deepStrictEqual(differencesOf(commits, newCore().state), []);
    for (const bytes of commits) for (const { type, input } of decodeCommit(bytes).events) seen.add(`${type} ${endedOf(input)}`.trim());
  }), { numRuns: 300 });
  t.strictSame([...seen].sort(), EVERY_WAY, 'every event was there, in each way that it can come about');
});

t.test('property: whichever contents are removed, deciding again comes to the same hashed bodies', async () => {
  fc.assert(fc.property(fc.array(acts, { maxLength: 60, size: 'max' }), fc.infiniteStream(fc.boolean()), (script, dice) => {
    const bare = staged(script).map((bytes) => {
      const { commit } = readCommit(bytes);
      return removeContents(bytes, commit.events.flatMap(({ content }, index) => (content && dice.next().value ? [index] : [])));
    });
    deepStrictEqual(differencesOf(bare, newCore().state, 'hashed bodies'), []);
  }), { numRuns: 100 });
});

t.test('property: each event says by whom it was asked for, which nothing has verified', async (t) => {
  const by: Readonly<Record<string, RegExp>> = {
    SubmitJob: /^client$/, CancelJob: /^client$/, Timer: /^$/, Pull: /^w[12]$/, ReportAttempt: /^w[12]$/, RegisterWorker: /^w[12]$/, DrainWorker: /^w[12]$/,
  };
  fc.assert(fc.property(fc.array(acts, { maxLength: 40, size: 'max' }), (script) => {
    for (const bytes of staged(script)) {
      for (const { cause } of decodeCommit(bytes).events) {
        t.match(cause?.by, by[cause?.type ?? '']!, cause?.type ?? '');
        t.equal(cause?.verified, false);
      }
    }
  }), { numRuns: 50 });
});

t.test('property: no pull was granted more leases than it had free slots, by the journal alone', async (t) => {
  fc.assert(fc.property(fc.array(acts, { maxLength: 60, size: 'max' }), (script) => {
    let left = 0;
    let of = '';
    for (const event of staged(script).flatMap((bytes) => decodeCommit(bytes).events).filter(({ type }) => type === 'JobLeased')) {
      const { session, pullSeq } = messages.JobLeased.decode(event.body!);
      if (event.input) [of, left] = [`${session} ${pullSeq}`, messages.DecisionInput.decode(event.input.command!).free];
      t.equal(`${session} ${pullSeq}`, of, 'the first lease of a pull says how many slots it had');
      left -= 1;
      t.ok(left >= 0);
    }
  }), { numRuns: 100 });
});

/** A retry with and without a delay of its own, and a completion. */
function retried(): Play {
  const play = new Play();
  play.register('w1');
  for (let n = 0; n < 3; n += 1) play.submit({ policy: { ...POLICY, backoffJitter: 0.5 } });
  const leases = play.pull('w1', 1, 3).flatMap((said) => (said.kind === 'pulled' ? said.leases : []));
  const retry = (afterMs: number | undefined): Outcome => ({ kind: 'retry', failure: { code: 'X', message: 'no' }, afterMs });
  const outcomes: Outcome[] = [retry(undefined), retry(250), { kind: 'ok', result: Buffer.from('1'), contentType: '' }];
  play.pull('w1', 2, 0, [], leases.map(({ token }, nth) => ({ token, outcome: outcomes[nth]! })));
  return play;
}

t.test('only what is needed is recorded', async (t) => {
  const inputs = retried().commits.flatMap((bytes) => decodeCommit(bytes).events).map(({ type, input }) => ({
    type, draw: input?.draw ?? undefined, ...(input?.command && { ...messages.DecisionInput.decode(input.command) }),
  }));
  t.strictSame(inputs, [
    ...['WorkerRegistered', 'JobSubmitted', 'JobSubmitted', 'JobSubmitted'].map((type) => ({ type, draw: undefined })),
    { type: 'JobLeased', draw: undefined, free: 3 },
    { type: 'JobLeased', draw: undefined },
    { type: 'JobLeased', draw: undefined },
    { type: 'JobRetryScheduled', draw: 0.5, ended: 'retry' },
    { type: 'JobRetryScheduled', draw: undefined, ended: 'retry', retryAfterMs: 250 },
    { type: 'JobCompleted', draw: undefined },
  ]);
});

t.test('without its input, as in version 1, a decision that needs it is said to be unrecorded; the others are made', async (t) => {
  const [core, came] = [newCore(), [] as string[]];
  retried().commits.forEach((bytes, nth) => {
    const commit = decodeCommit(bytes);
    for (const event of commit.events) event.input = null;
    decideCommitAgain(core.state, commit, nth + 1, ({ recorded, again }) => {
      came.push(`${recorded.event.type} ${again.kind === 'unrecorded' ? again.missing : again.kind}`);
    });
  });
  t.strictSame(came, [
    'WorkerRegistered decided', 'JobSubmitted decided', 'JobSubmitted decided', 'JobSubmitted decided', 'JobLeased decided',
    'JobLeased decided', 'JobLeased decided', 'JobRetryScheduled how the attempt ended', 'JobRetryScheduled how the attempt ended',
    'JobCompleted decided',
  ]);
});

t.test('a retry whose number is lost is unrecorded, and one with another number comes to another time', async (t) => {
  const again = (draw: number | undefined): string[] => {
    const [core, came] = [newCore(), [] as string[]];
    retried().commits.forEach((bytes, nth) => {
      const commit = decodeCommit(bytes);
      for (const { input } of commit.events) if (input && typeof input.draw === 'number') input.draw = draw ?? null;
      decideCommitAgain(core.state, commit, nth + 1, ({ recorded: { event }, again }) => {
        if (event.type !== 'JobRetryScheduled') return;
        const isEqual = again.kind === 'decided' && 'dueMs' in again.event.body && 'dueMs' in event.body && again.event.body.dueMs === event.body.dueMs;
        came.push(again.kind === 'unrecorded' ? again.missing : isEqual ? 'equal' : 'another');
      });
    });
    return came;
  };
  t.strictSame(again(undefined), ['the number drawn', 'equal']);
  t.strictSame(again(0.9), ['another', 'equal']);
  t.strictSame(again(0.5), ['equal', 'equal']);
});
