import type { Where } from '../arguments.js';

export interface QueueFlags extends Where {
  readonly json?: true;
}

export interface ChangeFlags extends QueueFlags {
  readonly reason?: string;
}
