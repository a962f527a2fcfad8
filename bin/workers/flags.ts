import type { Where } from '../arguments.js';

export interface WorkersFlags extends Where {
  readonly json?: true;
  readonly watch?: true;
}

export interface OrderFlags extends Where {
  readonly json?: true;
  readonly reason?: string;
}
