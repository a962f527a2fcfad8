/**
 * What a leader does with workers: it offers them jobs, ends the leases of silent ones, and removes those that left.
 */
import type { CastMember } from '../cast.js';
import { checkLeases, watchLeases } from './check-leases.js';
import { expirePulls } from './expire-pulls.js';
import { endUnworkable } from '../dispatch/unworkable.js';
import { offerJobs } from '../dispatch/offer.js';
import { sessionOf } from './session-of.js';
import { Sessions } from './sessions.js';
import { forgetSilentWorkers } from './silent.js';
import { workerKind, type WorkerRole } from './worker.kind.js';

export const workers: CastMember<WorkerRole> = {
  kind: workerKind,
  live: () => new Sessions(),
  /** Workers in the journal may pull at once. */
  lead(step) {
    const sessions = step.live(workerKind);
    const { monoMs } = step.moment;
    sessions.lead(monoMs);
    watchLeases(step);
    for (const worker of step.read(workerKind).all()) {
      const { id, status, cordoned, retired } = worker;
      if (status === 'gone') continue;
      const known = sessionOf(sessions, id, worker);
      known.heardMonoMs = monoMs;
      known.draining = status === 'draining';
      known.retired = retired !== undefined;
      known.cordoned = cordoned !== undefined;
      sessions.add(known);
    }
  },
  tick(step) {
    checkLeases(step);
    expirePulls(step);
    forgetSilentWorkers(step);
    endUnworkable(step);
  },
  close: offerJobs,
};
