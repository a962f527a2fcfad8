/**
 * Consistent cuts: one position per partition, such that what depends on a commit before the cut lies before it too.
 * Both directions are monotone, so each ends at the one smallest, or largest, consistent cut.
 */
import type { OutboxMarks } from './outbox-marks.js';

/** By partition: everything up to that position, 0 for nothing. */
export type Cut = readonly number[];

/** A commit of one partition that needs a number to be reached in another one. */
interface Need {
  readonly of: number;
  readonly what: 'sent' | 'answered' | 'received';
  /** Whose commit needs it, which is also by whom the number counts there. */
  readonly by: number;
  readonly number: number;
  /** Up to where less would be needed: the position of the first commit that needs more than `has`. */
  firstOver(has: number): number;
}

function* needs(marks: OutboxMarks, upToSeq: number): Generator<Need> {
  const by = marks.partition;
  const rows = [
    ['sent', marks.received], ['answered', marks.settled], ['received', marks.answered],
  ] as const;
  for (const [what, table] of rows) {
    for (const [of, rising] of table) {
      const number = rising.at(upToSeq);
      if (number > 0) yield { of, what, by, number, firstOver: (has) => rising.reaches(has + 1) };
    }
  }
}

export interface Missing {
  readonly partition: number;
  readonly by: number;
  readonly what: Need['what'];
  readonly number: number;
}

/**
 * The smallest consistent cut that has at least these commits.
 * @param ignored what is known not to exist
 * @returns `missing`: what one partition needs and the marks of another do not have: read on there, and try again
 */
export function closed(
  all: readonly OutboxMarks[], from: Cut, ignored: readonly Missing[] = [],
): { readonly cut: Cut; readonly missing?: Missing } {
  const cut = [...from];
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (const marks of all) {
      for (const { of, what, by, number } of needs(marks, cut[marks.partition]!)) {
        const other = all[of];
        if (other === undefined) continue;
        const seq = reached(other, what, by, number);
        const isIgnored = ignored.some((each) => each.partition === of && each.by === by && each.what === what);
        if (seq === Infinity && !isIgnored) return { cut, missing: { partition: of, by, what, number } };
        if (seq === Infinity || seq <= cut[of]!) continue;
        cut[of] = seq;
        isChanged = true;
      }
    }
  }
  return { cut };
}

/** The largest consistent cut that has at most these commits. Its positions need not be those of commits. */
export function consistentWithin(all: readonly OutboxMarks[], from: Cut): Cut {
  const cut = [...from];
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (const marks of all) {
      for (const { of, what, by, number, firstOver } of needs(marks, cut[marks.partition]!)) {
        const other = all[of];
        const has = other?.[what].get(by)?.at(cut[of]!) ?? 0;
        if (other === undefined || has >= number) continue;
        const before = Math.max(0, firstOver(has) - 1);
        if (before >= cut[marks.partition]!) continue;
        cut[marks.partition] = before;
        isChanged = true;
      }
    }
  }
  return cut;
}

/** Whether the marks of a partition have come so far. */
export const has = (marks: OutboxMarks, { what, by, number }: Omit<Missing, 'partition'>): boolean =>
  reached(marks, what, by, number) < Infinity;

const reached = (marks: OutboxMarks, what: Need['what'], by: number, number: number): number =>
  marks[what].get(by)?.reaches(number) ?? Infinity;
