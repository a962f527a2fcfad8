/**
 * What a partition remembers: plain data, a fold of its journal and of nothing else. What a leader merely knows at the
 * moment (sessions, open pulls, how long ago a worker was heard) is not here.
 */
import type { JobId, JournalId, Partition, WorkerId } from '../../protocols/ids.js';
import type { Job, Policy } from '../../actors/job/job.js';
import { DEFAULTS } from '../../protocols/limits.js';
import type { Worker } from '../../actors/worker/worker.js';
import { Commands, type CommandEntry } from './commands.js';

/** Bounds of what is remembered of the past; all by the commits' own time, so that every replay forgets the same. */
export const MEMORY = {
  endedJobs: 5_000,
  endedMs: 60_000,
  keys: 200_000,
  keyMs: DEFAULTS.keyTtlMs,
} as const;

export interface KeyEntry {
  readonly jobId: JobId;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
  /** When it may be forgotten; 0 while its job lives. */
  readonly untilMs: number;
}

export interface PartitionState {
  readonly partition: Partition;
  journalId: JournalId | '';
  epoch: number;
  /** Of the last commit. */
  seq: number;
  nowMs: number;
  /** Jobs seen so far. */
  submitted: number;
  readonly jobs: Map<JobId, Job>;
  /** Ended jobs that are still remembered, oldest first, as [id, endedMs]. */
  readonly ended: [JobId, number][];
  endedHead: number;
  /** Keys of jobs that live, and of jobs that have ended, oldest end first. */
  readonly keys: Map<string, KeyEntry>;
  readonly pastKeys: Map<string, KeyEntry>;
  readonly commands: Commands;
  readonly workers: Map<WorkerId, Worker>;
}

export const newState = (partition: Partition): PartitionState => ({
  partition, journalId: '', epoch: 0, seq: 0, nowMs: 0, submitted: 0,
  jobs: new Map(), ended: [], endedHead: 0, keys: new Map(), pastKeys: new Map(),
  commands: new Commands(partition), workers: new Map(),
});

export const keyName = (queue: string, key: string): string => `${queue}/${key}`;

/** A commit begins: time moves on, and what is too old is forgotten. */
export function beginCommit(state: PartitionState, seq: number, nowMs: number): void {
  state.seq = seq;
  state.nowMs = nowMs;
  forgetEnded(state);
  state.commands.forget(nowMs);
  forgetOldest(state.pastKeys, MEMORY.keys, (entry) => entry.untilMs < nowMs);
}

function forgetEnded(state: PartitionState): void {
  const { ended, jobs, nowMs } = state;
  while (state.endedHead < ended.length) {
    const [id, endedMs] = ended[state.endedHead]!;
    if (ended.length - state.endedHead <= MEMORY.endedJobs && endedMs + MEMORY.endedMs >= nowMs) break;
    jobs.delete(id);
    state.endedHead += 1;
  }
  if (state.endedHead > MEMORY.endedJobs) {
    ended.splice(0, state.endedHead);
    state.endedHead = 0;
  }
}

/** Maps keep the order of insertion, so the oldest entries come first; the first that may stay ends the search. */
function forgetOldest<V>(map: Map<string, V>, most: number, isOld: (entry: V) => boolean): void {
  for (const [name, entry] of map) {
    if (map.size <= most && !isOld(entry)) return;
    map.delete(name);
  }
}

/** Equal policies share one object: a million jobs have a handful of them. */
export class Policies {
  private readonly byText = new Map<string, Policy>();
  /** What was asked before, by identity: requests without a policy of their own bring one and the same object. */
  private readonly known = new WeakMap<Policy, Policy>();
  private latest: Policy | undefined;

  shared(policy: Policy): Policy {
    const before = this.known.get(policy);
    if (before) return before;
    const shared = this.find(policy);
    this.known.set(policy, shared);
    return shared;
  }

  /** For one that was just decoded, and is an object of its own: most equal the one before. */
  decoded(policy: Policy): Policy {
    if (this.latest && isSame(this.latest, policy)) return this.latest;
    this.latest = this.find(policy);
    return this.latest;
  }

  private find(policy: Policy): Policy {
    const text = JSON.stringify([
      policy.maxAttempts, policy.backoffInitialMs, policy.backoffFactor, policy.backoffMaxMs, policy.backoffJitter,
      policy.nonRetryable, policy.attemptMs, policy.heartbeatMs,
    ]);
    const equal = this.byText.get(text);
    if (equal) return equal;
    if (this.byText.size >= 10_000) this.byText.clear();
    const plain: Policy = {
      maxAttempts: policy.maxAttempts, backoffInitialMs: policy.backoffInitialMs, backoffFactor: policy.backoffFactor,
      backoffMaxMs: policy.backoffMaxMs, backoffJitter: policy.backoffJitter, nonRetryable: [...policy.nonRetryable],
      attemptMs: policy.attemptMs, heartbeatMs: policy.heartbeatMs,
    };
    this.byText.set(text, plain);
    return plain;
  }
}

const isSame = (a: Policy, b: Policy): boolean =>
  a.maxAttempts === b.maxAttempts && a.backoffInitialMs === b.backoffInitialMs && a.backoffFactor === b.backoffFactor &&
  a.backoffMaxMs === b.backoffMaxMs && a.backoffJitter === b.backoffJitter && a.attemptMs === b.attemptMs && a.heartbeatMs === b.heartbeatMs &&
  a.nonRetryable.length === b.nonRetryable.length && a.nonRetryable.every((code, nth) => code === b.nonRetryable[nth]);

/** The canonical view, version 1: equal for equal journals, on every machine (promise P6). */
export function viewOf(state: PartitionState): unknown {
  return {
    version: 1, partition: state.partition, journalId: state.journalId, epoch: state.epoch, seq: state.seq, nowMs: state.nowMs,
    submitted: state.submitted,
    jobs: [...state.jobs.values()].map((job) => ({ ...job })),
    ended: state.ended.slice(state.endedHead),
    keys: [...state.keys], pastKeys: [...state.pastKeys], commands: [...state.commands], workers: [...state.workers.values()].map((worker) => ({ ...worker })),
  };
}

/** @param view of {@link viewOf}, perhaps through JSON */
export function stateOf(view: unknown): PartitionState {
  const plain = structuredClone(view) as Omit<PartitionState, 'jobs' | 'keys' | 'pastKeys' | 'commands' | 'workers'> & {
    jobs: Job[]; keys: [string, KeyEntry][]; pastKeys: [string, KeyEntry][]; commands: [string, CommandEntry][]; workers: Worker[];
  };
  return {
    partition: plain.partition, journalId: plain.journalId, epoch: plain.epoch, seq: plain.seq, nowMs: plain.nowMs,
    submitted: plain.submitted, ended: plain.ended, endedHead: 0,
    jobs: new Map(plain.jobs.map((job) => [job.id, job])), keys: new Map(plain.keys), pastKeys: new Map(plain.pastKeys),
    commands: commandsOf(plain.partition, plain.commands),
    workers: new Map(plain.workers.map((worker) => [worker.id, worker])),
  };
}

function commandsOf(partition: Partition, entries: readonly [string, CommandEntry][]): Commands {
  const commands = new Commands(partition);
  for (const [name, { type, id, fingerprint, atMs }] of entries) commands.add(name, type, id as JobId, Buffer.from(fingerprint, 'hex'), atMs);
  return commands;
}
