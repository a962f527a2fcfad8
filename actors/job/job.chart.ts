/**
 * The chart of a job. It is `ready` once submitted, or `scheduled` until its delay is over; `running` under a lease;
 * `retrying` between a failed attempt and the next. Four final statuses: completed, failed, cancelled, expired.
 * Folded, so topology only: whether an attempt remains is decided before the event is recorded.
 */
import { assign, setup } from 'xstate';
import type { JobId } from '../../protocols/ids.js';
import { readChart } from '../chart.js';
import type { At } from '../kind.js';
import { applyJob } from './job.apply.js';
import type { JobEvent } from './job.events.js';
import type { Job } from './job.js';

/** An event with the job's id and its position in the journal. */
type Applied = JobEvent & { readonly id: JobId; readonly at: At };

export const jobMachine = setup({
  types: { context: {} as { job: Job | undefined }, events: {} as Applied },
  actions: {
    apply: assign(({ context, event }) => ({
      job: applyJob(context.job && structuredClone(context.job), event, event.id, event.at),
    })),
  },
}).createMachine({
  id: 'job',
  initial: 'absent',
  context: { job: undefined },
  states: {
    absent: { on: { JobSubmitted: { target: 'ready', actions: 'apply' } } },
    ready: {
      on: {
        JobDelayed: { target: 'scheduled', actions: 'apply' },
        JobLeased: { target: 'running', actions: 'apply' },
        JobCancelled: { target: 'cancelled', actions: 'apply' },
        JobExpired: { target: 'expired', actions: 'apply' },
      },
    },
    scheduled: {
      on: {
        JobBecameReady: { target: 'ready', actions: 'apply' },
        JobCancelled: { target: 'cancelled', actions: 'apply' },
        JobExpired: { target: 'expired', actions: 'apply' },
      },
    },
    running: {
      on: {
        JobCompleted: { target: 'completed', actions: 'apply' },
        JobRetryScheduled: { target: 'retrying', actions: 'apply' },
        JobReclaimed: { target: 'ready', actions: 'apply' },
        JobReturned: { target: 'ready', actions: 'apply' },
        JobFailed: { target: 'failed', actions: 'apply' },
        JobCancelRequested: { target: 'running', actions: 'apply' },
        JobCancelled: { target: 'cancelled', actions: 'apply' },
        JobExpired: { target: 'expired', actions: 'apply' },
      },
    },
    retrying: {
      on: {
        JobBecameReady: { target: 'ready', actions: 'apply' },
        JobCancelled: { target: 'cancelled', actions: 'apply' },
        JobExpired: { target: 'expired', actions: 'apply' },
      },
    },
    completed: { type: 'final' },
    failed: { type: 'final' },
    cancelled: { type: 'final' },
    expired: { type: 'final' },
  },
});

export const jobChart = readChart(jobMachine);
