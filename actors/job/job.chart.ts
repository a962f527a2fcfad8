/**
 * The chart of a job. It is `ready` once submitted, or `scheduled` until its delay is over; `running` under a lease;
 * `retrying` between a failed attempt and the next. It ends as completed, failed, cancelled or expired; a
 * command may take it back from the last three, to `ready`, or discard what failed. One that has left is `absent` too.
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
    absent: {
      on: {
        JobSubmitted: { target: 'ready', actions: 'apply' },
        JobRetried: { target: 'ready', actions: 'apply' },
      },
    },
    ready: {
      on: {
        JobReprioritized: { target: 'ready', actions: 'apply' },
        JobDelayed: { target: 'scheduled', actions: 'apply' },
        JobLeased: { target: 'running', actions: 'apply' },
        JobCancelled: { target: 'cancelled', actions: 'apply' },
        JobExpired: { target: 'expired', actions: 'apply' },
        JobUnworkable: { target: 'unworkable', actions: 'apply' },
      },
    },
    scheduled: {
      on: {
        JobReprioritized: { target: 'scheduled', actions: 'apply' },
        JobBecameReady: { target: 'ready', actions: 'apply' },
        JobCancelled: { target: 'cancelled', actions: 'apply' },
        JobExpired: { target: 'expired', actions: 'apply' },
      },
    },
    running: {
      on: {
        JobReprioritized: { target: 'running', actions: 'apply' },
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
        JobReprioritized: { target: 'retrying', actions: 'apply' },
        JobBecameReady: { target: 'ready', actions: 'apply' },
        JobCancelled: { target: 'cancelled', actions: 'apply' },
        JobExpired: { target: 'expired', actions: 'apply' },
      },
    },
    completed: { type: 'final' },
    failed: {
      tags: 'ended',
      on: {
        JobRetried: { target: 'ready', actions: 'apply' },
        JobDiscarded: { target: 'discarded', actions: 'apply' },
      },
    },
    cancelled: { tags: 'ended', on: { JobRetried: { target: 'ready', actions: 'apply' } } },
    expired: { tags: 'ended', on: { JobRetried: { target: 'ready', actions: 'apply' } } },
    unworkable: { tags: 'ended', on: { JobRetried: { target: 'ready', actions: 'apply' } } },
    discarded: { type: 'final' },
  },
});

export const jobChart = readChart(jobMachine);
