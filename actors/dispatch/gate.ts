/** Which lines may be leased from now: not those of queues that are held, or whose limits have no room. */
import { FREELY, type Admission } from '../job/job.decide.js';
import { jobKind } from '../job/job.kind.js';
import type { AdmissionsReading } from '../job/admissions.js';
import type { ReadonlyLimit } from '../job/limit.js';
import type { ReadonlyLine } from '../job/line.js';
import type { LinesReading } from '../job/lines.js';
import type { ReadonlyQueueOrder } from '../job/queue-order.js';
import { slowNames } from '../job/slowed.js';
import type { Step } from '../step.js';
import type { Standing } from './line-heap.js';
import type { Parked } from './parked.js';

export class Gate {
  private readonly admissions: AdmissionsReading;
  readonly lines: LinesReading;
  readonly nowMs: number;

  /** @param parked where lines wait for their rate */
  constructor(private readonly step: Step, private readonly parked: Parked) {
    const { admissions, lines } = step.read(jobKind);
    [this.admissions, this.lines, this.nowMs] = [admissions, lines, step.nowMs];
  }

  /** Of a queue that is not searched together with others. */
  isOpen({ queue, rules }: ReadonlyQueueOrder): boolean {
    if (this.step.isHeld(queue)) return false;
    for (const { scope } of rules.limits) {
      const limit = this.lines.limit(scope);
      if (limit && (limit.isFull || this.freeMs(limit) > this.nowMs)) return false;
    }
    return true;
  }

  /** Whether a line is not leased from until it is offered again. */
  isShut(line: ReadonlyLine): boolean {
    if (line.ready === 0 || (line.of.isPlain && this.step.isHeld(line.queue))) return true;
    for (const limit of line.limits) {
      if (limit.isWide) continue;
      if (limit.isFull) {
        limit.wait();
        return true;
      }
      const freeMs = this.freeMs(limit);
      if (freeMs <= this.nowMs) continue;
      this.parked.add(limit, freeMs);
      return true;
    }
    const slowedMs = this.admissions.isSlowed ? this.admissions.slowedUntilMs(slowNames(line)) : 0;
    if (slowedMs <= this.nowMs) return false;
    this.parked.add(line, slowedMs);
    return true;
  }

  /** Where a line stands now; undefined if it is not leased from until it is offered again. */
  readonly standingOf = (line: ReadonlyLine): Standing | undefined => {
    if (this.isShut(line)) return undefined;
    const share = line.of.rules.weights ? this.admissions.startOf(line.queue, line.key) : 0;
    return { share, rank: line.firstRank, place: line.firstPlace };
  };

  /** What a lease of the line's first job uses. */
  admit({ of, queue, key, limits }: ReadonlyLine): Admission {
    const { weights } = of.rules;
    if (limits.length === 0 && weights === undefined) return FREELY;
    const buckets = limits.filter(({ rule }) => rule.rate).map((limit) => (
      { limit: limit.name, untilMs: limit.after(this.admissions.untilMs(limit.name), this.nowMs) }));
    if (weights === undefined) return { buckets, share: undefined };
    const start = this.admissions.startOf(queue, key);
    return { buckets, share: { key, start, end: start + 1 / (weights[key] ?? 1) } };
  }

  private freeMs(limit: ReadonlyLimit): number {
    return limit.rule.rate === undefined ? 0 : limit.freeMs(this.admissions.untilMs(limit.name));
  }
}
