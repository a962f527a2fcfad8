/**
 * The lifecycle of a performer's slot, which performs one lease after the other. The transitions are read once and
 * followed by look-up, because a step of an interpreter costs more than a small job (docs/adr/0002).
 */
import { setup } from 'xstate';
import { readChart } from '../../actors/chart.js';

export type PerformerEvent =
  | 'Leased'
  | 'Accepted'
  | 'Refused'
  | 'Returned'
  | 'Threw'
  | 'Aborted'
  | 'Ended'
  | 'Abandoned'
  | 'Reported'
  | 'Dropped';

export const performerMachine = setup({ types: { events: {} as { type: PerformerEvent } } }).createMachine({
  id: 'performer',
  initial: 'idle',
  states: {
    idle: { on: { Leased: 'validating' } },
    validating: { on: { Accepted: 'handling', Refused: 'reporting', Aborted: 'aborting' } },
    handling: { on: { Returned: 'reporting', Threw: 'reporting', Aborted: 'aborting' } },
    // The signal was aborted. A handler that does not end within the grace is abandoned, to free its slot.
    aborting: { on: { Aborted: 'aborting', Ended: 'reporting', Abandoned: 'reporting' } },
    // The report is added to the pending ones, or dropped if the lease was revoked.
    reporting: { on: { Reported: 'idle', Dropped: 'idle' } },
  },
});

export const performerChart = readChart(performerMachine);
