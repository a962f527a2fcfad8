/** Every partition gets the capabilities of a session; only the home partition records them (docs/adr/0004). */
import type { Step } from '../step.js';

const HOME_PARTITION = 0;

export const isHome = (step: Step): boolean => step.partition === HOME_PARTITION;
