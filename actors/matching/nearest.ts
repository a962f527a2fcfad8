const plain = (name: string): string => name.toLowerCase().replaceAll(/[_\- ]/g, '');

/** Whether two names differ only in case, `_` and `-`. */
export const alike = (one: string, other: string): boolean => plain(one) === plain(other);

/** Longer names are compared by their beginning: the cost of a hostile one is bounded. */
const COMPARED = 64;

/** The known name that an unknown one was most likely meant to be. @param known at least one */
export function nearest(name: string, known: readonly string[]): string {
  const given = plain(name.slice(0, COMPARED));
  let best = known[0]!;
  let least = Number.POSITIVE_INFINITY;
  for (const each of known) {
    const edits = distance(given, plain(each));
    if (edits < least) [best, least] = [each, edits];
  }
  return best;
}

/** With more changes than this share of its length it is another word. */
const MOST_CHANGED = 0.5;

/** As {@link nearest}, unless none is near. */
export function near(name: string, known: readonly string[]): string | undefined {
  const given = plain(name.slice(0, COMPARED));
  const best = known.length === 0 ? undefined : nearest(name, known);
  return best !== undefined && distance(given, plain(best)) <= given.length * MOST_CHANGED ? best : undefined;
}

/** How many letters must be added, removed, changed, or swapped with the next one. */
function distance(one: string, other: string): number {
  let before: number[] = [];
  let row = Array.from({ length: other.length + 1 }, (_, nth) => nth);
  for (let i = 1; i <= one.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= other.length; j += 1) {
      const change = row[j - 1]! + (one[i - 1] === other[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, change, isSwapped ? before[j - 2]! + 1 : change));
    }
    [before, row] = [row, next];
  }
  return row[other.length]!;
}
