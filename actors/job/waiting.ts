/** How long a client may wait for a job to end. */
import { whole } from '../../protocols/bounds.js';
import { DEFAULTS, LIMITS } from '../../protocols/limits.js';

/** Protobuf has 0 where nothing was given. @throws Invalid */
export const checkWaitMs = (given: number): number =>
  (given === 0 ? DEFAULTS.waitMs : whole('waitMs', given, 1, LIMITS.waitMs));
