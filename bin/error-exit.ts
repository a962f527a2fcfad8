/** Prints the error that ended a command, with what to do about it, and sets the exit status. */
import { messageOf, RepriseError } from '../protocols/errors.js';
import { paint } from './terminal.js';

const FAILED = 1;
export const MISUSED = 2;

/** Sets the exit status instead of exiting, so that open output is still written. */
export function exitWithError(error: unknown): void {
  const known = error instanceof RepriseError ? error : undefined;
  const message = messageOf(error);
  process.exitCode = known?.code === 'USAGE' ? MISUSED : FAILED;
  const code = known && !message.includes(known.code) ? ` (${known.code})` : '';
  printError(`${message}${code}`, known?.hint);
  // An unexpected error is a bug of Reprise; its stack shows where.
  if (!known && error instanceof Error && error.stack) process.stderr.write(`${error.stack}\n`);
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: jsonOf(error, message) })}\n`);
}

export function printError(message: string, hint?: string): void {
  process.stderr.write(`${paint('red', 'error:', process.stderr)} ${message}\n`);
  if (hint) process.stderr.write(`${paint('cyan', 'hint:', process.stderr)} ${hint}\n`);
}

/** Turns an error of the command line's parser into one of ours. */
export function usageError(error: { message: string }): RepriseError {
  return new RepriseError('USAGE', error.message.replace(/^error: /, '').replaceAll('\n', ' ').trim());
}

function jsonOf(error: unknown, message: string): object {
  if (!(error instanceof RepriseError)) return { code: 'INTERNAL', message };
  return { code: error.code, message, hint: error.hint, retryable: error.retryable };
}
