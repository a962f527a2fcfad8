/** What a scenario works with. */
import type { ClientCalls } from '../client/calls.js';
import type { Running, Workers } from '../contender.js';
import type { Forked } from '../processes/forked.js';

export interface Stage {
  readonly running: Running;
  readonly client: Forked<ClientCalls>;
  readonly workers: Workers;
}

/** Requests that a client process has open at a time, whatever their size. */
export const OUTSTANDING = 8;
