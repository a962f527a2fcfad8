/** How a command ends that could not do what it was asked to: what and why, what to do, and the exit status. */
import { RepriseError } from '../protocols/errors.js';
import { paint } from './terminal.js';

const FAILED = 1;
export const MISUSED = 2;

/** Says so and lets the process end with the status that fits, once nothing is left to do. */
export function endWith(error: unknown): void {
  const known = error instanceof RepriseError ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  process.exitCode = known?.code === 'USAGE' ? MISUSED : FAILED;
  say(known ? `${message}${message.includes(known.code) ? '' : ` (${known.code})`}` : message, known?.hint);
  // Something that we did not foresee is our mistake, and its stack tells where.
  if (!known && error instanceof Error && error.stack) process.stderr.write(`${error.stack}\n`);
  if (process.argv.includes('--json')) process.stdout.write(`${JSON.stringify({ error: plain(error, message) })}\n`);
}

export function say(message: string, hint?: string): void {
  process.stderr.write(`${paint('red', 'error:', process.stderr)} ${message}\n`);
  if (hint) process.stderr.write(`${paint('cyan', 'hint:', process.stderr)} ${hint}\n`);
}

/** What the parser of the command line refused. */
export function usage(error: { message: string }): RepriseError {
  return new RepriseError('USAGE', error.message.replace(/^error: /, '').replaceAll('\n', ' ').trim());
}

function plain(error: unknown, message: string): object {
  if (!(error instanceof RepriseError)) return { code: 'INTERNAL', message };
  return { code: error.code, message, hint: error.hint, retryable: error.retryable };
}

