/**
 * A performer's slot: what may follow what while one lease after the other is performed in it. The arrows are read once
 * and followed by look-up, because an interpreter's step costs more than a small job (docs/adr).
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
  | 'Settled'
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
    // The signal was aborted. A handler that does not heed it in time is abandoned, so that its slot comes back.
    aborting: { on: { Aborted: 'aborting', Settled: 'reporting', Abandoned: 'reporting' } },
    // An outcome is handed over, or dropped where nobody wants it any more: the lease was revoked.
    reporting: { on: { Reported: 'idle', Dropped: 'idle' } },
  },
});

export const performerChart = readChart(performerMachine);
