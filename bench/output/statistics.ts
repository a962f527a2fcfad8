/** Medians and percentiles of numbers and of results. */

/** @throws Error without numbers */
export function median(numbers: readonly number[]): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return (at(sorted, Math.ceil(middle) - 1) + at(sorted, Math.floor(middle))) / 2;
}

/** The smallest number such that at least this share of all is not above it. @param share between 0 and 1 */
export function percentile(numbers: readonly number[], share: number): number {
  const sorted = [...numbers].sort((a, b) => a - b);
  return at(sorted, Math.max(0, Math.ceil(sorted.length * share) - 1));
}

/** The median of every number, field by field, at any depth. */
export function medianOf<T extends object>(results: readonly T[]): T {
  const [first] = results;
  if (first === undefined) throw new Error('A median needs at least one result, got none.');
  const fields = Object.keys(first).map((key) => {
    const values = results.map((result) => (result as Record<string, unknown>)[key]);
    if (values.every((value) => typeof value === 'number')) return [key, median(values)] as const;
    return [key, values.every(isObject) ? medianOf(values) : values[0]] as const;
  });
  return Object.fromEntries(fields) as T;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

function at(numbers: readonly number[], index: number): number {
  const number = numbers[index];
  if (number === undefined) throw new Error(`There is no number at index ${index} of ${numbers.length}.`);
  return number;
}
