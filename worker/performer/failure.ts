/** Whatever was thrown, as the bounded failure that the journal keeps. */
import { inspect } from 'node:util';
import type { FailureCode } from '../../protocols/errors.js';
import { LIMITS } from '../../protocols/limits.js';
import type { job } from '../../protocols/messages.js';
import { wellFormed } from '../../protocols/utf8.js';

export type Failure = job.Failure.$Properties;

const CODE_BYTES = 128;
/** No leader takes them in a code. */
const CONTROL = /\p{Control}/gu;

export const failure = (code: FailureCode, message: string, stack = ''): Failure => ({
  code,
  message: bounded(message, LIMITS.failureMessageBytes),
  stack: bounded(stack, LIMITS.failureStackBytes),
});

/** An error's own `code`, if it is a text, becomes the failure's, so that a policy's nonRetryable can name it. */
export function failureOf(thrown: unknown): Failure {
  try {
    if (!(thrown instanceof Error)) return failure('PERFORMER_ERROR', `thrown: ${inspect(thrown, { depth: 2 })}`);
    const told = failure('PERFORMER_ERROR', thrown.message || thrown.name, thrown.stack);
    const code: unknown = 'code' in thrown ? thrown.code : undefined;
    return typeof code === 'string' && code !== '' ? { ...told, code: bounded(code.replace(CONTROL, ' '), CODE_BYTES) } : told;
  } catch {
    // A getter or an inspector of what was thrown threw in turn.
    return failure('PERFORMER_ERROR', 'thrown: something that cannot be described');
  }
}

/** The message of whatever was thrown. */
export const messageOf = (thrown: unknown): string => failureOf(thrown).message ?? '';

/** At most so many bytes of UTF-8, cut between characters, and without halves of characters, which no decoder takes. */
export function bounded(text: unknown, maxBytes: number): string {
  const whole = wellFormed(String(text).slice(0, maxBytes));
  if (whole.length * 3 <= maxBytes) return whole;
  const bytes = Buffer.from(whole);
  if (bytes.length <= maxBytes) return whole;
  let end = maxBytes;
  while ((bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}
