/** Turns a thrown value into the failure that is recorded in the journal, bounded in size. */
import { inspect } from 'node:util';
import type { Failure } from '../../actors/job/job.js';
import type { FailureCode } from '../../protocols/errors.js';
import { LIMITS } from '../../protocols/limits.js';
import { bounded } from '../../protocols/utf8.js';

const CODE_BYTES = 128;
/** Leaders refuse a code that holds them. */
const CONTROL = /\p{Control}/gu;

export const failure = (code: FailureCode, message: string, stack = ''): Failure => ({
  code,
  message: bounded(message, LIMITS.failureMessageBytes),
  stack: bounded(stack, LIMITS.failureStackBytes),
});

/** A text that an error has as its `code` becomes the failure's, so that `nonRetryable` of a policy can name it. */
export function failureOf(thrown: unknown): Failure {
  try {
    if (!(thrown instanceof Error)) return failure('PERFORMER_ERROR', `thrown: ${inspect(thrown, { depth: 2 })}`);
    const described = failure('PERFORMER_ERROR', thrown.message || thrown.name, thrown.stack);
    const code: unknown = 'code' in thrown ? thrown.code : undefined;
    if (typeof code !== 'string' || code === '') return described;
    return { ...described, code: bounded(code.replace(CONTROL, ' '), CODE_BYTES) };
  } catch {
    // A getter of the thrown value, or its inspector, threw in turn.
    return failure('PERFORMER_ERROR', 'thrown: something that cannot be described');
  }
}

/** The message of a value that user code threw. Unlike `messageOf`, it survives getters that throw, and is bounded. */
export const thrownMessage = (thrown: unknown): string => failureOf(thrown).message;
