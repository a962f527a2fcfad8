/** Retry policies by name. A field that is given beside the name takes the place of the preset's. */
import { Invalid } from '../../protocols/bounds.js';

export interface Preset {
  readonly maxAttempts: number;
  /** Absent: there is no second attempt to wait for, unless `maxAttempts` is given as well. */
  readonly backoff?: { readonly initialMs: number; readonly factor: number; readonly maxMs: number };
  /** Absent: the default. */
  readonly maxCrashes?: number;
}

export type PresetName =
  'CRITICAL' | 'STANDARD' | 'AGGRESSIVE' | 'FAST' | 'NETWORK' | 'RATE_LIMITED' | 'NO_RETRY';

export const PRESETS: Readonly<Record<PresetName, Preset>> = {
  CRITICAL: { maxAttempts: 10, backoff: { initialMs: 1_000, factor: 1.5, maxMs: 30_000 } },
  STANDARD: { maxAttempts: 5, backoff: { initialMs: 1_000, factor: 2, maxMs: 60_000 } },
  AGGRESSIVE: { maxAttempts: 15, backoff: { initialMs: 500, factor: 2, maxMs: 120_000 } },
  FAST: { maxAttempts: 3, backoff: { initialMs: 100, factor: 1.5, maxMs: 5_000 } },
  NETWORK: { maxAttempts: 8, backoff: { initialMs: 2_000, factor: 2, maxMs: 30_000 } },
  RATE_LIMITED: { maxAttempts: 20, backoff: { initialMs: 10_000, factor: 3, maxMs: 300_000 } },
  /** Who wants no second attempt wants none after a crash either. */
  NO_RETRY: { maxAttempts: 1, maxCrashes: 1 },
};

/** The name of a preset; empty: none. @throws Invalid */
export function presetName(given: string): string {
  if (given === '' || Object.hasOwn(PRESETS, given)) return given;
  throw new Invalid('INVALID_ARGUMENT', `retry.preset must be one of ${Object.keys(PRESETS).join(', ')}`);
}

/** @param name that {@link presetName} has checked */
export const presetOf = (name: string): Partial<Preset> => (name === '' ? {} : PRESETS[name as PresetName]);
