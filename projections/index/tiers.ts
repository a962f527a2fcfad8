/** Which runs are merged next. An entry is rewritten about once for every fourfold growth of the index. */
import type { SortedRun } from './run.js';

/** So many runs of a tier become one of a higher tier. */
const FAN_OUT = 4;

const tierOf = (entries: number, tableEntries: number): number =>
  Math.max(0, Math.floor(Math.log(entries / tableEntries) / Math.log(FAN_OUT) + 0.25));

/**
 * The newest runs up to a tier of which there are enough. They are neighbours, so that the order of age stays.
 * @param runs oldest first
 */
export function runsToMerge(runs: readonly SortedRun[], tableEntries: number): readonly SortedRun[] {
  const tiers = runs.map(({ header }) => tierOf(header.entries, tableEntries));
  for (let tier = 0; tier <= Math.max(0, ...tiers); tier += 1) {
    const from = tiers.findLastIndex((each) => each > tier) + 1;
    if (runs.length - from >= FAN_OUT) return runs.slice(from);
  }
  return [];
}
