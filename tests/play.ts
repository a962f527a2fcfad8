/**
 * Runs a partition's core in tests: time, ids and chance are given, commits are kept as bytes, and the replies that
 * were decided are collected. The same core runs in production.
 */
import {
  jobId, parseSession, parseToken, parseWorkerId,
  type JobId, type Partition, type Session, type Token, type WorkerId,
} from '../protocols/ids.js';
import { Keyring } from '../protocols/keyring.js';
import { leaseSignature, token as tokenWith } from '../protocols/proofs.js';
import { BASE_READER, COMMIT_VERSION } from '../streams/chain.js';
import type { Salts } from '../streams/content.js';
import { decodeCommit } from '../streams/contents.js';
import type { Outcome, SubmitJob } from '../actors/job/job.decide.js';
import type { Policy } from '../actors/job/job.js';
import { PartitionCore } from '../partition/core/core.js';
import type { JobAnswer, ViewAnswer } from '../actors/job/answers.js';
import { jobKind } from '../actors/job/job.kind.js';
import type { JobsReading } from '../actors/job/jobs.js';
import { archiveReply, oneJobReply, submitReply, viewReply } from '../actors/job/replies.js';
import { commandOf, COMMANDS } from '../actors/commands.js';
import type { Await } from '../actors/job/commands/await.js';
import type { Cancel } from '../actors/job/commands/cancel.js';
import type { Discard } from '../actors/job/commands/discard.js';
import type { Reprioritize } from '../actors/job/commands/reprioritize.js';
import type { Retry } from '../actors/job/commands/retry.js';
import type { Submit } from '../actors/job/commands/submit.js';
import type { Target } from '../actors/job/target.js';
import type { RepairActor } from '../actors/actor/commands/repair.js';
import type { SetRetention } from '../actors/retention/commands/set.js';
import type { StartBulk } from '../actors/bulk/commands/start.js';
import type { ChangeQueue } from '../actors/queue/change.js';
import type { SetQueue } from '../actors/queue/commands/set.js';
import type { Step } from '../actors/step.js';
import type { Drain } from '../actors/worker/commands/drain.js';
import type { Heartbeat } from '../actors/worker/commands/heartbeat.js';
import type { Pull } from '../actors/worker/commands/pull.js';
import type { Register } from '../actors/worker/commands/register.js';
import type { OrderWorker } from '../actors/worker/order.js';
import type { PageOf } from '../actors/worker/page.js';
import type { Reports } from '../actors/worker/reports.js';
import { KINDS } from '../actors/kinds.js';
import type { ReplyTo } from '../actors/reply.js';
import { drainedReply, pulledReply, registeredReply } from '../actors/worker/replies.js';
import type { Notice } from '../actors/worker/sessions.js';
import type { Effect } from '../actors/effect.js';
import type { Rejection } from '../protocols/errors.js';

export const KEYRING = new Keyring([{ id: 'test', secret: Buffer.alloc(32, 7) }]);
export const POLICY: Policy = {
  maxAttempts: 3, nonRetryable: [], attemptMs: 60_000, heartbeatMs: 1_000,
  backoffInitialMs: 1_000, backoffFactor: 2, backoffMaxMs: 60_000, backoffJitter: 0,
  maxCrashes: 3, backoffListMs: undefined,
};

/** A reply as it was decided, by the message that it becomes. */
export type Decided = { readonly to: ReplyTo } & (
  | { readonly kind: 'jobs'; readonly answers: readonly JobAnswer[] }
  | { readonly kind: 'wait'; readonly answers: readonly JobAnswer[]; readonly waitMs: number }
  | ({ readonly kind: 'view' } & ViewAnswer)
  | { readonly kind: 'archive'; readonly jobId: JobId }
  | ({ readonly kind: 'pulled' } & Notice)
  | { readonly kind: 'registered'; readonly session: string; readonly proof: string }
  | { readonly kind: 'drained'; readonly status: string }
  | { readonly kind: 'refused'; readonly rejection: Rejection }
  | { readonly kind: 'other'; readonly answer: unknown }
);

export function decidedIn(effects: readonly Effect[]): Decided[] {
  return effects.flatMap((effect): Decided[] => {
    if (effect.kind === 'ended') return [];
    if (effect.kind === 'refused') return [effect];
    const { to } = effect;
    if (effect.kind === 'wait') {
      const { answers, waitMs } = effect;
      return [{ kind: 'wait', to, answers: answers as JobAnswer[], waitMs }];
    }
    const { reply, answer } = effect;
    switch (reply as unknown) {
      case submitReply: return [{ kind: 'jobs', to, answers: answer as JobAnswer[] }];
      case oneJobReply: return [{ kind: 'jobs', to, answers: [answer as JobAnswer] }];
      case viewReply: return [{ kind: 'view', to, ...(answer as ViewAnswer) }];
      case archiveReply: return [{ kind: 'archive', to, jobId: answer as JobId }];
      case pulledReply: return [{ kind: 'pulled', to, ...(answer as Notice) }];
      case registeredReply: return [{ kind: 'registered', to, ...(answer as { session: string; proof: string }) }];
      case drainedReply: return [{ kind: 'drained', to, status: answer as string }];
      default: return [{ kind: 'other', to, answer }];
    }
  });
}

/** The same in every run, so that commits are the same bytes again. */
let salted = 0;
export const salts: Salts = (into, at) => void into.fill((salted += 1) % 251, at, at + 16);

export const newCore = (keyring = KEYRING, partition = 0 as Partition): PartitionCore =>
  new PartitionCore({ partition, kinds: KINDS, keyring, salts });

/** The checked request of each command, by its verb or, where another noun has it too, by its name. */
interface Requests {
  readonly submit: Submit;
  readonly get: { readonly target: Target };
  readonly why: { readonly target: Target };
  readonly await: Await;
  readonly cancel: Cancel;
  readonly retry: Retry;
  readonly discard: Discard;
  readonly reprioritize: Reprioritize;
  readonly register: Omit<Register, 'partitions'>;
  readonly pull: Omit<Pull, 'partition'>;
  readonly report: Omit<Reports, 'partition'>;
  readonly heartbeat: Omit<Heartbeat, 'partition'>;
  readonly drain: Drain;
  readonly cordon: OrderWorker;
  readonly uncordon: OrderWorker;
  readonly retire: OrderWorker;
  readonly 'worker.get': { readonly workerId: WorkerId };
  readonly 'worker.list': PageOf;
  readonly pause: ChangeQueue;
  readonly resume: ChangeQueue;
  readonly start: StartBulk;
  readonly go: { readonly bulkId: string };
  readonly stop: { readonly bulkId: string };
  readonly set: Omit<SetRetention, 'partitions'>;
  readonly 'queue.set': SetQueue;
  readonly repair: Omit<RepairActor, 'kind'> & { readonly of: string };
}

interface Reported {
  readonly token: Token;
  readonly outcome: Outcome;
}

export type Asked<Verb extends keyof Requests> = Requests[Verb] & { readonly kind: Verb; readonly by?: string };

/** Decides a checked request, as a gateway passes it to the leader. */
export function decide<Verb extends keyof Requests>(
  step: Step, { kind, by = '', ...request }: Asked<Verb>, to: ReplyTo,
): void {
  const command = commandOf(kind) ?? commandOf(`job.${kind}`) ?? COMMANDS.findLast(({ verb }) => verb === kind)!;
  // The kind of an actor has the name of the verb’s field here.
  const checked = 'of' in request ? { ...request, kind: request.of } : request;
  command.decide(step, checked, { to, by });
}

const HEADER = {
  version: COMMIT_VERSION, minReader: BASE_READER, journalId: 'j', partition: 0 as Partition, epoch: 1, leaderId: 'l',
  prevHash: new Uint8Array(),
};

export class Play {
  readonly core = newCore();
  /** The journal so far: each commit's bytes, at sequence index + 1. */
  readonly commits: Uint8Array[] = [];
  nowMs = 1_700_000_000_000;
  private asked = 0;
  private drawn = 0;

  /** Decides a command and commits at once. @returns its answer, and all replies that were decided */
  ask<Verb extends keyof Requests>(request: Asked<Verb>): { answer: Decided | undefined; decided: Decided[] } {
    const to = { replyTo: 'replyTo', nth: (this.asked += 1) } as ReplyTo;
    this.core.step(this.moment, (step) => decide(step, request, to));
    const decided = this.commit();
    return { answer: decided.find((effect) => effect.to === to), decided };
  }

  tick(passedMs: number): Decided[] {
    this.nowMs += passedMs;
    this.core.tick(this.moment);
    return this.commit();
  }

  /** Writes what was decided. */
  commit(): Decided[] {
    const decided: Decided[] = [];
    for (let batch = this.core.take(); batch; batch = this.core.take()) {
      if (batch.events.length > 0) {
        this.commits.push(batch.body.commit({ ...HEADER, prevSeq: batch.seq - 1, nowMs: batch.nowMs }));
        if (batch.seq !== this.commits.length) throw new Error(`batch ${batch.seq} as commit ${this.commits.length}`);
      }
      decided.push(...decidedIn(batch.effects));
    }
    return decided;
  }

  /** A fresh core that has folded the same journal. */
  replayed(): PartitionCore {
    const core = newCore();
    this.commits.forEach((bytes, nth) => core.replay(decodeCommit(bytes), nth + 1));
    return core;
  }

  submit(over: Partial<SubmitJob> = {}): JobId {
    const id = this.nextId();
    const jobs = [{ id, job: { ...job(), ...over } }];
    const { answer } = this.ask<'submit'>({ kind: 'submit', by: 'client', waitMs: undefined, jobs });
    const first = answer?.kind === 'jobs' ? answer.answers[0] : undefined;
    if (first === undefined || first.kind === 'refused') throw new Error(`refused: ${JSON.stringify(answer)}`);
    return first.jobId;
  }

  register(name: string, types: readonly string[] = ['square'], queues: readonly string[] = []): void {
    const identity = { workerId: worker(name), session: session(name) };
    const registered = { ...identity, types, queues, capacity: 10, software: '', capabilities: '', weights: {} };
    this.ask<'register'>({ kind: 'register', proof: '', worker: registered });
  }

  pull(
    name: string, pullSeq: number, free: number, held: readonly Token[] = [], outcomes: readonly Reported[] = [],
  ): Decided[] {
    const reports = outcomes.map((report) => ({ ...report, ...parseToken(report.token)! }));
    const pull = { pullSeq, free, expiresMs: 1_000, held, reports };
    return this.ask<'pull'>({ kind: 'pull', workerId: worker(name), session: session(name), ...pull }).decided;
  }

  get jobs(): JobsReading {
    return this.core.read(jobKind);
  }

  /** Types of the journal's events of one job. */
  history(id: JobId): string[] {
    const events = this.commits.flatMap((bytes) => decodeCommit(bytes).events);
    return events.filter((event) => event.id === id).map(({ type }) => type ?? '');
  }

  /** Leadership begins now. */
  lead(): void {
    this.core.lead(this.moment);
  }

  nextId(): JobId {
    this.drawn += 1;
    const random = new Uint8Array(10);
    new DataView(random.buffer).setUint32(6, this.drawn);
    return jobId(0 as Partition, random);
  }

  get moment() {
    return { nowMs: this.nowMs, monoMs: this.nowMs - 1_600_000_000_000, draw: 0.5 };
  }
}

export const job = (): SubmitJob => ({
  type: 'square', queue: 'default', payload: Buffer.from('1'), contentType: '', priority: 0, key: '', commandId: '',
  delayMs: 0, runAtMs: 0, policy: POLICY, startMs: 0, totalMs: 0, labels: undefined, require: '', prefer: '',
});
export const worker = (name: string): WorkerId => parseWorkerId(name)!;
export const session = (name: string): Session => parseSession(`${name}-session`)!;
export const ok = (of: Token): Reported => ({
  token: of, outcome: { kind: 'ok', result: Buffer.from('1'), contentType: '' },
});
export const failed = (of: Token): Reported => ({
  token: of, outcome: { kind: 'retry', failure: { code: 'PERFORMER_ERROR', message: 'no' }, afterMs: undefined },
});
export const leasesIn = (decided: readonly Decided[]): Token[] =>
  decided.flatMap((effect) => (effect.kind === 'pulled' ? effect.leases.map((lease) => lease.token) : []));
/** The token under which a pull of a worker's brought an attempt. */
export const token = (name: string, pullSeq: number, id: JobId, attempt: number, lease: number): Token =>
  tokenWith(id, attempt, lease, leaseSignature(KEYRING, session(name), pullSeq));
export const first = (name: string, id: JobId, pullSeq = 1): Token => token(name, pullSeq, id, 1, 1);
