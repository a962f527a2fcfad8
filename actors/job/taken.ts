/**
 * What a decision about a job took from outside and its event does not say. The time of a decision is the commit's. The
 * delay and the total timeout of a submit follow from that and the times in its events. A completion, a cancel and what
 * comes due say everything.
 */
import { decodeLeniently } from '../../protocols/lenient.js';
import { job as messages } from '../../protocols/messages.js';
import type { Taken } from '../recorded.js';
import type { Outcome } from './job.decide.js';
import type { JobEvent } from './job.events.js';

const { DecisionInput } = messages;

export const SILENT = 'silent';
export const TIMED_OUT = 'timed_out';

/** @param draw the number drawn, if it was used */
export function takenOfReport(outcome: Outcome, { type }: JobEvent, draw: number | undefined): Taken | undefined {
  if (outcome.kind === 'ok' || type === 'JobReturned') return undefined;
  const input = DecisionInput.create({ ended: outcome.kind });
  if (outcome.kind === 'retry' && outcome.afterMs !== undefined) input.retryAfterMs = outcome.afterMs;
  if ('failure' in outcome && type === 'JobCancelled') input.failureCode = outcome.failure.code;
  return withDraw(DecisionInput.encode(input).finish(), draw);
}

const ofTime = {
  [SILENT]: DecisionInput.encode({ ended: SILENT }).finish(),
  [TIMED_OUT]: DecisionInput.encode({ ended: TIMED_OUT }).finish(),
};

/** @param ended why the leader ended the attempt, if it did @param draw the number drawn, if it was used */
export function takenOfTime(
  { type }: JobEvent, ended: keyof typeof ofTime, draw: number | undefined,
): Taken | undefined {
  const isSaid = type === 'JobReclaimed' || type === 'JobExpired' || type === 'JobBecameReady';
  return isSaid ? undefined : withDraw(ofTime[ended], draw);
}

const withDraw = (command: Uint8Array, draw: number | undefined): Taken =>
  (draw === undefined ? { command } : { command, draw });

/** By the number of slots: encoded once. */
const ofPulls: Taken[] = [];

/** Of the first lease that a pull is granted. Worker, session and sequence of the pull are in the event. */
export const takenOfPull = (free: number): Taken =>
  (ofPulls[free] ??= { command: DecisionInput.encode({ free }).finish() });

/** An event without an input, as all are in commits of version 1, gives the defaults: empty and 0. */
export const readTaken = (taken: Taken | undefined): messages.DecisionInput =>
  decodeLeniently<messages.DecisionInput>(DecisionInput, taken?.command ?? NONE);

const NONE = new Uint8Array(0);
