/** What a leader cannot mend by itself, logged for an operator. */
import type { Logger } from 'pino';
import type { Partition } from '../../protocols/ids.js';
import type { LeaderOptions } from './leader-options.js';
import { logUndelivered } from './undelivered.js';

type Alarms = Pick<LeaderOptions, 'onUndelivered' | 'onUndecided' | 'onWithheld'>;

export const alarms = (log: Logger, partition: Partition): Alarms => ({
  onUndelivered: (undelivered) => logUndelivered(log, partition, undelivered),
  onUndecided: (err) => {
    const hint = 'Report it with this line.';
    log.error({ partition, why: String(err), err, hint }, 'the decision of a request threw; the request is refused');
  },
  onWithheld: (jobId, why) => {
    const hint = 'Cancel the job, or restore its payload; `reprise audit verify` names the position.';
    log.error({ partition, jobId, why, hint }, 'a lease is withheld and expires: the payload cannot be read');
  },
});
