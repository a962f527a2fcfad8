/** Every partition learns what a session can do; only the fleet's home partition records it (docs/adr/0004). */
import type { Step } from '../step.js';

const HOME_PARTITION = 0;

export const isHome = (step: Step): boolean => step.partition === HOME_PARTITION;
