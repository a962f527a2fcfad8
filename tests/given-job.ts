/** Jobs for tests of decisions, each after the events that lead to it. */
import { applyJob } from '../actors/job/job.apply.js';
import { decideLease, decideReport, decideSubmit, type Outcome, type SubmitJob } from '../actors/job/job.decide.js';
import type { JobEvent } from '../actors/job/job.events.js';
import type { Job, Policy } from '../actors/job/job.js';
import { parseJobId, type Session, type WorkerId } from '../protocols/ids.js';

export const ID = parseJobId('0-0123456789abcdef')!;
export const POLICY: Policy = {
  maxAttempts: 3, backoffInitialMs: 1_000, backoffFactor: 2, backoffMaxMs: 60_000, backoffJitter: 0,
  nonRetryable: ['BAD_INPUT'], attemptMs: 5_000, heartbeatMs: 1_000, maxCrashes: 2, backoffListMs: undefined,
};
export const SUBMIT: SubmitJob = {
  type: 'square', queue: 'default', payload: Buffer.from('{"n":12}'), contentType: '', priority: 0, key: '',
  commandId: '', delayMs: 0, runAtMs: 0, policy: POLICY, startMs: 0, totalMs: 0, labels: undefined,
  require: '', prefer: '',
};
export const NOW = 1_000_000;
export const TO = { workerId: 'w1' as WorkerId, session: 's1' as Session, pullSeq: 7, capabilities: 0 };
export const at = (nowMs = NOW) => ({ seq: 1, index: 0, nowMs, place: 0, content: undefined });

/** The job after these events. */
export const given = (...events: JobEvent[]): Job =>
  events.reduce<Job | undefined>((job, event) => applyJob(job, event, ID, at()), undefined)!;
export const submitted = (over: Partial<SubmitJob> = {}): JobEvent[] =>
  decideSubmit({ ...SUBMIT, ...over }, undefined, NOW);
export const running = (attempt = 1, over: Partial<SubmitJob> = {}): Job => {
  const job = given(...submitted(over));
  for (let n = 1; n < attempt; n += 1) {
    applyJob(job, decideLease(job, TO, NOW), ID, at());
    applyJob(job, report(job, RETRY) as JobEvent, ID, at());
    applyJob(job, { type: 'JobBecameReady', body: { status: 'ready' } }, ID, at());
  }
  return applyJob(job, decideLease(job, TO, NOW), ID, at());
};
export const OK: Outcome = { kind: 'ok', result: Buffer.from('144'), contentType: '' };
export const RETRY: Outcome & { readonly kind: 'retry' } = {
  kind: 'retry', failure: { code: 'PERFORMER_ERROR', message: 'no' }, afterMs: undefined,
};
export const report = (job: Job, outcome: Outcome, attempt = job.attempt, lease = job.lease) =>
  decideReport(job, attempt, lease, outcome, { nowMs: NOW, draw: 0.5 });
export const typeOf = (decided: JobEvent | { code: string } | 'repeated' | undefined) =>
  decided === undefined || decided === 'repeated' ? decided : 'code' in decided ? decided.code : decided.type;
