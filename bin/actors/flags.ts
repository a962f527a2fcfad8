import type { RepairAs } from '../../sdk/actors.js';
import type { Where } from '../arguments.js';

export interface ActorFlags extends Where {
  readonly json?: true;
}

export interface RepairFlags extends ActorFlags {
  readonly as: RepairAs;
  readonly reason?: string;
}
