import { InvalidArgumentError } from 'commander';
import type { Where } from '../arguments.js';

export interface RetentionFlags extends Where {
  readonly json?: true;
}

export interface SetFlags extends RetentionFlags {
  readonly queue?: string;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 24 * 3_600_000 };

/** `30d`, `12h` and the like, in milliseconds; `forever` is 0; `default` is itself. */
export function keepingTime(text: string): number | 'default' {
  if (text === 'default') return text;
  if (text === 'forever') return 0;
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text);
  const ms = found ? Math.round(Number(found[1]) * UNITS[found[2]!]!) : 0;
  if (ms > 0) return ms;
  throw new InvalidArgumentError('A time with its unit is needed, like 30d or 12h; or forever; or default.');
}
