/** Sizes, times and counts as people read them. */
const UNITS = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1_000]] as const;

/** The two largest units: `3h 12m`. Below a second, milliseconds. */
export function durationText(ms: number): string {
  if (ms < 1_000) return `${ms}ms`;
  const first = UNITS.findIndex(([, unit]) => ms >= unit);
  const parts = UNITS.slice(first, first + 2).map(([name, unit], nth) =>
    `${Math.floor((nth === 0 ? ms : ms % UNITS[first]![1]) / unit)}${name}`);
  return parts.filter((part) => !part.startsWith('0')).join(' ');
}

const SIZES = [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]] as const;

/** Three digits or more: `1.23 MB`, `45.6 kB`, `789 B`. */
export function sizeText(bytes: number): string {
  const found = SIZES.find(([, unit]) => bytes >= unit);
  if (found === undefined) return `${Math.round(bytes)} B`;
  const [name, unit] = found;
  const value = bytes / unit;
  return `${value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)} ${name}`;
}

export const countText = (count: number): string => count.toLocaleString('en-US');

/** Wall clocks of two machines may differ, so an age may be negative. */
export const ageText = (fromMs: number, nowMs: number): string => durationText(Math.max(0, nowMs - fromMs));
