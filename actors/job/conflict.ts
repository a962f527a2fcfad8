import type { Rejection } from '../../protocols/errors.js';
import type { JobId } from '../../protocols/ids.js';
import { commandConflict } from '../command-conflict.js';
import type { Step } from '../step.js';

/** The refusal of a command id that was used for something else than this command of this job. */
export function conflictOf(step: Step, commandId: string, type: string, jobId: JobId): Rejection | undefined {
  const before = commandId === '' ? undefined : step.seen(commandId);
  if (before === undefined || (before.type === type && before.id === jobId)) return undefined;
  return commandConflict(commandId, before);
}
