import type { GivenSettings } from '../../actors/queue/settings.js';
import type { Where } from '../arguments.js';

export interface QueueFlags extends Where {
  readonly json?: true;
}

export interface ChangeFlags extends QueueFlags {
  readonly reason?: string;
}

/** With the flags of setting-flags.ts. */
export interface SetFlags extends ChangeFlags, Readonly<Record<string, unknown>> {
  readonly settings?: GivenSettings;
  readonly unset?: readonly string[];
}
