/** Queues change by commands alone. Their settings are the rules by which a leader looks for jobs. */
import type { CastMember } from '../cast.js';
import { rulesOf } from '../dispatch/rules.js';
import { jobKind } from '../job/job.kind.js';
import { queueKind, type QueueRole } from './queue.kind.js';

export const queues: CastMember<QueueRole> = {
  kind: queueKind,
  lead(step) {
    const of = step.read(queueKind);
    step.read(jobKind).lines.follow((queue) => rulesOf(queue, (name) => of.settingsOf(name)));
  },
  changed(step, { id }) {
    step.read(jobKind).lines.rulesChanged(id);
  },
};
