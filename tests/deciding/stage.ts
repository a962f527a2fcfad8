/** A partition on a stage: clients, workers and time act on it at random, and commits fill up while time goes on. */
import fc from 'fast-check';
import { ACTIONS, type Action } from '../../actors/bulk/bulk.js';
import { isRunning } from '../../actors/job/job.js';
import type { Outcome } from '../../actors/job/job.decide.js';
import { jobKind } from '../../actors/job/job.kind.js';
import { KINDS } from '../../actors/kinds.js';
import type { ReplyTo } from '../../actors/reply.js';
import { workerKind } from '../../actors/worker/worker.kind.js';
import { PartitionCore } from '../../partition/core/core.js';
import { decide, job, KEYRING, Play, POLICY, salts, session, worker, type Asked } from '../play.js';
import { parseToken, type Partition } from '../../protocols/ids.js';
import { BASE_READER, COMMIT_VERSION } from '../../streams/chain.js';

type AskedFor =
  | 'submit' | 'cancel' | 'retry' | 'discard' | 'reprioritize'
  | 'register' | 'pull' | 'report' | 'drain' | 'cordon' | 'uncordon' | 'retire'
  | 'pause' | 'resume' | 'start' | 'go' | 'stop' | 'queue.set';

/** Something that clients, workers and time do. */
export type Act =
  | {
      do: 'submit'; delayMs: number; runInMs: number; key: string; totalMs: number; attempts: number; jitter: number;
      startMs: number; crashes: number | undefined; listMs: readonly number[] | undefined;
      attemptMs: number; labels: boolean;
    }
  | { do: 'pull'; worker: string; free: number; ends: Outcome | 'nothing' }
  | { do: 'report'; worker: string; ends: Outcome }
  | { do: 'cancel' | 'discard'; nth: number; reason: string }
  | { do: 'retry'; nth: number; edited: boolean }
  | { do: 'reprioritize'; nth: number; priority: number }
  | { do: 'bulk'; id: string; action: Action; hold: boolean }
  | { do: 'go' | 'stop'; id: string }
  | { do: 'drain'; worker: string; gone: boolean }
  | { do: 'cordon' | 'uncordon' | 'retire'; worker: string; reason: string }
  | { do: 'pause' | 'resume'; reason: string }
  | { do: 'tick' | 'wait'; ms: number }
  | { do: 'configure'; concurrency: number; reason: string }
  | { do: 'commit' };

const failures = fc.constantFrom(
  { code: 'PERFORMER_ERROR', message: 'no' }, { code: 'BAD_INPUT', message: '', stack: 'at x' },
  { code: 'CANCELLED', message: '' },
);
const ends: fc.Arbitrary<Outcome> = fc.oneof(
  fc.constant<Outcome>({ kind: 'ok', result: Buffer.from('1'), contentType: '' }),
  fc.constant<Outcome>({ kind: 'ok', result: Buffer.alloc(0), contentType: 'text/plain' }),
  fc.record({
    kind: fc.constant('retry' as const), failure: failures, afterMs: fc.constantFrom(undefined, undefined, 0, 700),
  }),
  fc.record({ kind: fc.constant('fail' as const), failure: failures }),
  fc.constant<Outcome>({ kind: 'cancelled' }),
  fc.constant<Outcome>({ kind: 'returned' }),
);
const name = fc.constantFrom('w1', 'w2');
export const acts: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    do: fc.constant('submit' as const), delayMs: fc.constantFrom(0, 0, 500), runInMs: fc.constantFrom(0, 0, -5, 300),
    key: fc.constantFrom('', '', 'a'), totalMs: fc.constantFrom(0, 0, 2_000), attempts: fc.integer({ min: 1, max: 3 }),
    startMs: fc.constantFrom(0, 0, 0, 600), crashes: fc.constantFrom(1, 2, 3, undefined),
    listMs: fc.constantFrom(undefined, undefined, [300, 0]), jitter: fc.constantFrom(0, 0.5),
    attemptMs: fc.constantFrom(0, 700), labels: fc.boolean(),
  }),
  fc.record({
    do: fc.constant('pull' as const), worker: name, free: fc.integer({ min: 0, max: 3 }),
    ends: fc.oneof(ends, fc.constant('nothing' as const)),
  }),
  fc.record({ do: fc.constant('report' as const), worker: name, ends }),
  fc.record({
    do: fc.constantFrom('cancel' as const, 'cancel' as const, 'discard' as const), nth: fc.nat(8),
    reason: fc.constantFrom('', 'enough'),
  }),
  fc.record({ do: fc.constant('reprioritize' as const), nth: fc.nat(8), priority: fc.integer({ min: -1, max: 2 }) }),
  fc.record({
    do: fc.constant('bulk' as const), id: fc.constantFrom('b1', 'b2', 'b3'), action: fc.constantFrom(...ACTIONS),
    hold: fc.boolean(),
  }),
  fc.record({ do: fc.constantFrom('go' as const, 'stop' as const), id: fc.constantFrom('b1', 'b2', 'b3') }),
  fc.record({ do: fc.constant('retry' as const), nth: fc.nat(8), edited: fc.boolean() }),
  fc.record({ do: fc.constant('drain' as const), worker: name, gone: fc.boolean() }),
  fc.record({
    do: fc.constantFrom('cordon' as const, 'uncordon' as const, 'retire' as const), worker: name,
    reason: fc.constantFrom('', 'hot'),
  }),
  fc.record({ do: fc.constantFrom('pause' as const, 'resume' as const), reason: fc.constantFrom('', 'closed') }),
  fc.record({
    do: fc.constantFrom('tick' as const, 'wait' as const), ms: fc.constantFrom(0, 100, 600, 1_500, 70_000),
  }),
  fc.record({
    do: fc.constant('configure' as const), concurrency: fc.integer({ min: 1, max: 3 }),
    reason: fc.constantFrom('', 'slow down'),
  }),
  fc.constant({ do: 'commit' as const }),
);

/**
 * Decides without committing at once, so that commits fill up while time goes on; they have room for a few events.
 * Every decision draws another number.
 */
class Stage {
  readonly core = new PartitionCore({
    partition: 0 as Partition, kinds: KINDS, keyring: KEYRING, salts, maxCommitBytes: 12_900,
  });
  readonly commits: Uint8Array[] = [];
  private readonly names = new Play();
  private nowMs = this.names.nowMs;
  private drawn = 0;
  private pullSeq = 0;

  constructor() {
    this.core.lead(this.moment);
  }

  act(act: Act): void {
    switch (act.do) {
      case 'submit': return this.submit(act);
      case 'pull': return this.pull(act);
      case 'report': return this.report(act);
      case 'cancel':
      case 'discard': return this.end(act);
      case 'retry': return this.retry(act);
      case 'bulk': {
        const { id: bulkId, action, hold } = act;
        const of = { bulkId, action, hold, filter: '', priority: 3, perSecond: 10_000, reason: 'enough' };
        return this.ask({ kind: 'start', by: 'anna', ...of });
      }
      case 'go':
      case 'stop': return this.ask({ kind: act.do, by: 'anna', bulkId: act.id });
      case 'reprioritize': return this.reprioritize(act);
      case 'pause':
      case 'resume': return this.ask({ kind: act.do, by: 'anna', queue: 'other', reason: act.reason, commandId: '' });
      case 'configure': return this.configure(act);
      case 'cordon':
      case 'uncordon':
      case 'retire': {
        const { do: kind, reason } = act;
        return this.ask({ kind, by: 'anna', workerId: worker(act.worker), reason, commandId: '' });
      }
      case 'drain': return this.ask({ kind: 'drain', ...this.sessionOf(act.worker), gone: act.gone });
      case 'tick':
        this.nowMs += act.ms;
        return this.core.tick(this.moment);
      case 'wait': return void (this.nowMs += act.ms);
      case 'commit': return this.commit();
      default: return act satisfies never;
    }
  }

  /** The default queue as well, so that what its jobs leave out is filled in. */
  private configure({ concurrency, reason }: Act & { do: 'configure' }): void {
    const change = { by: 'anna', reason, commandId: '', unset: [] };
    this.ask({ kind: 'queue.set', queue: 'other', settings: { concurrency }, ...change });
    const settings = { priority: { rules: [{ label: 'a', values: { b: concurrency } }] }, unworkableAfterMs: 5_000 };
    this.ask({ kind: 'queue.set', queue: 'default', settings, ...change });
  }

  commit(): void {
    for (let batch = this.core.take(); batch; batch = this.core.take()) {
      if (batch.events.length === 0) continue;
      this.commits.push(batch.body.commit({
        version: COMMIT_VERSION, journalId: 'j', partition: 0 as Partition, epoch: 1, leaderId: 'l',
        prevSeq: batch.seq - 1, prevHash: new Uint8Array(), nowMs: batch.nowMs, minReader: BASE_READER,
      }));
    }
  }

  private submit({ delayMs, runInMs, key, startMs, totalMs, labels, ...act }: Act & { do: 'submit' }): void {
    const { attempts, jitter, attemptMs, crashes, listMs } = act;
    const policy = {
      ...POLICY, maxAttempts: attempts, backoffJitter: jitter, attemptMs, nonRetryable: ['BAD_INPUT'],
      maxCrashes: crashes, backoffListMs: listMs,
    };
    const of = {
      ...job(), key, startMs, totalMs, policy, commandId: key && `c-${key}`, labels: labels ? { a: 'b' } : undefined,
      ...(runInMs === 0 ? { delayMs } : { runAtMs: this.nowMs + runInMs }),
    };
    this.ask({ kind: 'submit', by: 'client', waitMs: undefined, jobs: [{ id: this.names.nextId(), job: of }] });
  }

  private end({ do: kind, nth, reason }: Act & { do: 'cancel' | 'discard' }): void {
    const one = [...this.core.read(jobKind).all()][nth];
    if (one) this.ask({ kind, by: 'client', target: { jobId: one.id }, reason, commandId: '' });
  }

  private retry({ nth, edited }: Act & { do: 'retry' }): void {
    const one = [...this.core.read(jobKind).all()][nth];
    const payload = edited ? { bytes: Buffer.from('"edited"'), contentType: '' } : undefined;
    if (one) this.ask({ kind: 'retry', by: 'client', target: { jobId: one.id }, payload, commandId: '' });
  }

  private reprioritize({ nth, priority }: Act & { do: 'reprioritize' }): void {
    const one = [...this.core.read(jobKind).all()][nth];
    const of = one && ({ target: { jobId: one.id }, priority, commandId: '' });
    if (of) this.ask({ kind: 'reprioritize', by: 'client', ...of });
  }

  private pull({ worker: of, free, ends }: Act & { do: 'pull' }): void {
    const who = this.sessionOf(of);
    if (this.core.live(workerKind).get(who.session)?.draining !== false) {
      const offer = { types: ['square'], queues: [], capacity: 10, capabilities: '', weights: {} };
      const registered = { ...who, ...offer, software: '' };
      this.ask({ kind: 'register', proof: '', worker: registered });
    }
    const reports = ends === 'nothing' ? [] : this.reports(of, ends);
    const held = reports.length > 0 ? [] : this.reports(of, { kind: 'cancelled' }).map(({ token }) => token);
    this.pullSeq += 1;
    this.ask({ kind: 'pull', ...who, pullSeq: this.pullSeq, free, expiresMs: 1_000, held, reports });
  }

  private report({ worker: of, ends }: Act & { do: 'report' }): void {
    this.ask({ kind: 'report', ...this.sessionOf(of), reports: this.reports(of, ends) });
  }

  private reports(of: string, outcome: Outcome) {
    const { tokens } = this.core.live(jobKind);
    const all = [...this.core.read(jobKind).all()];
    const running = all.filter((each) => isRunning(each) && each.workerId === worker(of));
    return running.map((each) => ({ token: tokens.of(each), ...parseToken(tokens.of(each))!, outcome }));
  }

  private sessionOf(of: string) {
    return { workerId: worker(of), session: session(of) };
  }

  private ask<Verb extends AskedFor>(asked: Asked<Verb>): void {
    this.core.step(this.moment, (step) => decide(step, asked, { replyTo: 'replyTo' } as ReplyTo));
  }

  private get moment() {
    this.drawn = (this.drawn + 0.377) % 1;
    return { nowMs: this.nowMs, monoMs: this.nowMs - 1_600_000_000_000, draw: this.drawn };
  }
}

/** The commits that a script leads to. */
export function staged(script: readonly Act[]): Uint8Array[] {
  const stage = new Stage();
  for (const act of script) stage.act(act);
  stage.commit();
  return stage.commits;
}
