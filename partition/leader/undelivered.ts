/** Commands to another partition that do not get there: what is wrong, and what to do. */
import type { Logger } from 'pino';
import type { Partition } from '../../protocols/ids.js';

export interface Undelivered {
  readonly to: Partition;
  /**
   * `unanswered`: no reply came. `lost`: the destination lacks commands that it had recorded, so its journal lost its
   * end or was replaced. `ahead`: it has recorded more than was ever sent, so the journal of the origin lost its end.
   */
  readonly why: 'unanswered' | 'lost' | 'ahead';
  /** Sequence of the first command that is not answered. */
  readonly firstSeq: number;
  /** What the destination reports as received; undefined if it sent no reply. */
  readonly receivedSeq?: number;
  readonly message?: string;
}

/** Too long for a change of leader. */
export const SILENT_MS = 10_000;

export function logUndelivered(log: Logger, partition: Partition, { to, why, ...rest }: Undelivered): void {
  const what = { partition, to, why, ...rest };
  switch (why) {
    case 'unanswered': {
      const hint = `See why partition ${to} has no leader, or why that leader refuses.`;
      return log.warn({ ...what, hint }, `commands to partition ${to} are not answered and are sent again`);
    }
    case 'lost': {
      const hint = `Restore the journal of partition ${to} from a copy that has command ${rest.firstSeq - 1}.`;
      return log.error({ ...what, hint }, `partition ${to} lacks commands that it had recorded; the rest waits`);
    }
    case 'ahead': {
      const hint = `Restore the journal of partition ${partition} from a copy that has command ${rest.receivedSeq}.`;
      return log.error({ ...what, hint }, `partition ${to} has recorded commands that were never sent; the rest waits`);
    }
    default:
      return why satisfies never;
  }
}
