/**
 * docs/lifecycle.md, generated from the machines. The meanings of events are written here; the compiler requires one
 * for each event.
 */
import type { AnyStateMachine } from 'xstate';
import { bulkMachine, type BulkEventType } from '../../actors/bulk/bulk.js';
import { queueMachine, type QueueEventType } from '../../actors/queue/queue.js';
import { readChart, type Arrow } from '../../actors/chart.js';
import { jobMachine } from '../../actors/job/job.chart.js';
import type { JobEventType } from '../../actors/job/job.events.js';
import { performerMachine, type PerformerEvent } from '../../worker/performer/performer.chart.js';
import { workerActor } from '../../worker/worker.actor.js';
import { workerMachine, type WorkerEventType } from '../../actors/worker/worker.js';

const JOB: Readonly<Record<JobEventType, string>> = {
  JobSubmitted: 'A client submitted it.',
  JobDelayed: 'It was submitted with `delayMs` or `runAt`. In the same commit, directly after `JobSubmitted`.',
  JobBecameReady: 'Its delay or backoff is over. It keeps its place in its line.',
  JobLeased: 'A worker that can do it got it, under a new token.',
  JobCompleted: 'The worker reported `ok`, even if the job was being cancelled.',
  JobRetryScheduled: 'The attempt failed or took too long, and another one follows after the backoff.',
  JobReclaimed: 'The worker was silent for longer than the lease: a crash. Another attempt may start at once.',
  JobReturned: 'The worker stopped and handed it back, which counts as no attempt. Another may start at once.',
  JobFailed: 'The attempt failed and none remains: the last one, `fail()`, or a code of `nonRetryable`; '
    + 'or its lease was lost, and that was the last of `maxCrashes`.',
  JobCancelRequested: 'It was cancelled while it ran. The next reply to its worker has its token in `cancel`.',
  JobCancelled: 'It was cancelled before it ran, or its worker stopped or failed after `JobCancelRequested`.',
  JobUnworkable: 'No registered worker could do it, for the `unworkableAfterMs` of its queue.',
  JobExpired: 'It did not end within `timeouts.totalMs`, or its first attempt did not start within `timeouts.startMs`.',
  JobRetried: 'It had ended and was taken back by a command, with its place, and perhaps another payload.',
  JobReprioritized: 'A command gave it another priority. It keeps its place among those of that priority.',
  JobDiscarded: 'It had failed, and a command discarded it: it is kept no longer.',
};

const WORKER: Readonly<Record<WorkerEventType, string>> = {
  WorkerRegistered: 'It registered, or registered again with another session, capacity or set of types.',
  WorkerDraining: 'It takes no more jobs and finishes those that it holds.',
  WorkerGone: 'It left, or was silent for a minute.',
  WorkerRetired: 'An operator drains it. Its next reply tells it to finish what it holds and to exit.',
  WorkerCordoned: 'An operator cordoned it: it gets no new leases. Recorded in every partition, so `gone` also means: '
    + 'not registered here.',
  WorkerUncordoned: 'It gets leases again. One that is not registered is forgotten.',
};

const QUEUE: Readonly<Record<QueueEventType, string>> = {
  QueuePaused: 'It was paused: it takes and leases no jobs. The principal and the reason are recorded.',
  QueueResumed: 'It was resumed, by a principal and for a reason that are recorded as well.',
  QueueConfigured: 'Its settings were changed. The event has all of them, with the principal and the reason.',
};

const BULK: Readonly<Record<BulkEventType, string>> = {
  BulkStarted: 'One command to many jobs: the action, the filter, the principal and the reason are recorded.',
  BulkCollected: 'Some of the jobs that match are recorded as members, by their places.',
  BulkFrozen: 'All members are recorded. It acts on exactly those.',
  BulkWent: 'It acts: at once, or by `bulk.go` if it was to hold.',
  BulkAdvanced: 'It acts on the next members. What happens to each is an event of the job in the same commit.',
  BulkSkipped: 'So many of them could not be changed: they had changed or left meanwhile.',
  BulkDone: 'It has acted on all members.',
  BulkStopped: 'It was stopped. What it did stays done.',
};

const PERFORMER: Readonly<Record<PerformerEvent, string>> = {
  Leased: 'A lease arrived. Its payload is decoded and validated.',
  Accepted: '`validate` accepted the payload, or the performer has no `validate`.',
  Refused: 'The payload cannot be decoded, or `validate` refused it: `fail` with `PAYLOAD_INVALID`.',
  Returned: 'The handler returned a result: `ok`, or `retry` with `RESULT_INVALID` if it cannot be encoded.',
  Threw: 'The handler threw: `retry`, or `fail` after `context.fail()`.',
  Aborted: 'Its signal is aborted: cancelled, too long, lease lost, revoked, or the worker stops.',
  Ended: 'The handler ended within the grace period of 2 s.',
  Abandoned: 'The handler did not end within the grace period. The slot is used again.',
  Reported: 'The outcome waits for the next request to the leader.',
  Dropped: 'The lease was revoked, so nothing is reported.',
};

export function lifecycle(): string {
  return `${[
    '# Lifecycles',
    '<!-- Generated from the machines by `npm run docs`; tests/documents/documents.test.ts fails when it is stale. -->',
    [
      'Job and worker are *folded*: an event is decided first, and recorded with the status that it leads to. Leader',
      'and replay then follow the arrow by look-up, and halt if it leads to another status',
      '([ADR 2](adr/0002-charts-are-read-into-a-map.md)). Performer and worker process are *live*: they act, and',
      'record nothing.',
    ].join('\n'),
    '## A job',
    'Defined in [job.chart.ts](../actors/job/job.chart.ts). The events are decided in\n'
      + '[job.decide.ts](../actors/job/job.decide.ts).',
    folded(jobMachine),
    table(JOB),
    '## A worker in the journal',
    'Defined in [worker.ts](../actors/worker/worker.ts). Recorded in the home partition only\n'
      + '([ADR 4](adr/0004-sessions-are-volatile.md)).',
    folded(workerMachine),
    table(WORKER),
    '## A queue',
    'Defined in [queue.ts](../actors/queue/queue.ts). A queue that was never paused is open and has no events. One\n'
      + 'that was resumed is forgotten with the next commit: it is like one that was never paused.',
    folded(queueMachine),
    table(QUEUE),
    '## A bulk',
    'Defined in [bulk.ts](../actors/bulk/bulk.ts). One that has ended is shown for an hour.',
    folded(bulkMachine),
    table(BULK),
    '## A performer\'s slot',
    'Defined in [performer.chart.ts](../worker/performer/performer.chart.ts), run by\n'
      + '[perform.ts](../worker/performer/perform.ts). Each slot has one performer, which is reused.',
    live(performerMachine),
    table(PERFORMER),
    '## A worker in its process',
    'Defined in [worker.actor.ts](../worker/worker.actor.ts). After the slash: its actions on the process.',
    live(workerActor),
  ].join('\n\n')}\n`;
}

/** The status before the first event is drawn as the start. */
function folded(machine: AnyStateMachine): string {
  const { arrows, initial } = readChart(machine);
  const drawn = arrows.map((arrow) => (arrow.from === initial ? { ...arrow, from: '[*]' } : arrow));
  return diagram(drawn, finalsOf(machine));
}

function live(machine: AnyStateMachine): string {
  const start = { from: '[*]', event: '', to: String(machine.config.initial) };
  return diagram([start, ...liveArrows(machine)], finalsOf(machine));
}

function diagram(arrows: readonly Arrow[], finals: readonly string[]): string {
  const lines = merged(arrows).map(({ from, event, to }) => `  ${from} --> ${to}${event === '' ? '' : `: ${event}`}`);
  const ends = finals.map((status) => `  ${status} --> [*]`);
  return ['```mermaid', 'stateDiagram-v2', ...lines, ...ends, '```'].join('\n');
}

/** Events that lead the same way and do nothing else share an arrow. */
function merged(arrows: readonly Arrow[]): Arrow[] {
  const byEnds = new Map<string, Arrow>();
  for (const arrow of arrows) {
    const ends = arrow.event.includes('/') ? `${arrow.from} ${arrow.event}` : `${arrow.from} ${arrow.to}`;
    const other = byEnds.get(ends);
    byEnds.set(ends, other ? { ...other, event: `${other.event}, ${arrow.event}` } : arrow);
  }
  return [...byEnds.values()];
}

const finalsOf = (machine: AnyStateMachine): string[] =>
  Object.entries(machine.states).filter(([, node]) => node.type === 'final').map(([status]) => status);

/** A live machine does more than follow arrows: it invokes, and it acts on entry, on exit and on the way. */
function liveArrows(machine: AnyStateMachine): Arrow[] {
  return Object.entries(machine.states).flatMap(([from, node]) =>
    [...node.transitions.values()].flat().map((transition): Arrow => {
      const to = transition.target?.[0]?.key ?? from;
      const entered = to === from ? [] : [...namesOf(node.exit), ...namesOf(machine.states[to]!.entry)];
      const acts = [...namesOf(transition.actions), ...entered];
      const name = eventName(transition.eventType, node.invoke[0]?.src);
      return { from, to, event: acts.length > 0 ? `${name} / ${acts.join(', ')}` : name };
    }));
}

function eventName(type: string, invoked: unknown): string {
  if (type.startsWith('xstate.done.actor.')) return `${String(invoked)} done`;
  return type.startsWith('xstate.error.actor.') ? `${String(invoked)} failed` : type;
}

const namesOf = (actions: readonly unknown[]): string[] =>
  actions.map((action) => (typeof action === 'string' ? action : (action as { type: string }).type));

function table(meanings: Readonly<Record<string, string>>): string {
  const rows = Object.entries(meanings).map(([event, when]) => `| \`${event}\` | ${when} |`);
  return ['| event | when |', '|---|---|', ...rows].join('\n');
}
