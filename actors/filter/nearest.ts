/** Which of the known names a wrong one was meant to be. */

/** With more changes than this share of its length it is another word. */
const MOST_CHANGED = 0.5;

/** The nearest name, unless none is near. */
export function nearest(given: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.floor(given.length * MOST_CHANGED) + 1;
  for (const name of known) {
    const changes = changesBetween(given, name);
    if (changes < least) [best, least] = [name, changes];
  }
  return best;
}

/** How many characters must be added, removed or replaced. */
function changesBetween(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, nth) => nth);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const replaced = above[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, above[j]! + 1, row[j - 1]! + 1));
    }
    above = row;
  }
  return above[b.length]!;
}
