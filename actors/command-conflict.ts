import { reject, type Rejection } from '../protocols/errors.js';
import type { CommandEntry } from './step.js';

/** The refusal of a command whose id was used for another one. */
export const commandConflict = (commandId: string, { type, id }: CommandEntry): Rejection =>
  reject('COMMAND_CONFLICT', `commandId ${commandId} was used for a ${type} of ${id}`);
