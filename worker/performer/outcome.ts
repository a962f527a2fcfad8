/** How an attempt ended, as the report that the leader gets. */
import type { worker } from '../../protocols/messages.js';
import { CAUSES, type AbortCause } from './attempt.js';
import { encodeContent, type Content } from '../../protocols/content.js';
import { Control } from './context.js';
import { failure, failureOf, messageOf } from './failure.js';

export type Report = worker.Report.$Properties & { token: string; outcome: 'ok' | 'retry' | 'fail' | 'cancelled' };

/** A result that has no encoding or is too large is a mistake in the performer, tried again like any other. */
export function returned(token: string, value: unknown, maxBytes: number): Report {
  let content: Content;
  try {
    content = encodeContent(value);
  } catch (cause) {
    return resultInvalid(token, `the result cannot be encoded: ${messageOf(cause)}`);
  }
  const { bytes, contentType } = content;
  if (bytes.length > maxBytes) return resultInvalid(token, `the result has ${bytes.length} bytes; at most ${maxBytes} are allowed`);
  return { token, outcome: 'ok', result: bytes, contentType };
}

export const resultInvalid = (token: string, message: string): Report => ({
  token,
  outcome: 'retry',
  failure: failure('RESULT_INVALID', message),
});

/** The attempt has ended here, and there is nothing to tell of it. */
export const givenUp = (token: string): Report => ({ token, outcome: 'cancelled' });

/** What is reported instead of a report that the leader does not take; undefined if there is nothing plainer. */
export function plainer({ token, outcome }: Report, why: string): Report | undefined {
  if (outcome === 'ok') return resultInvalid(token, `the leader refused the result: ${why}`);
  return outcome === 'cancelled' ? undefined : givenUp(token);
}

export function threw(token: string, thrown: unknown): Report {
  if (!Control.is(thrown)) return { token, outcome: 'retry', failure: failureOf(thrown) };
  if (thrown.kind === 'fail') return { token, outcome: 'fail', failure: failure('PERFORMER_FAILED', thrown.reason) };
  const report: Report = { token, outcome: 'retry', failure: failure('PERFORMER_ERROR', thrown.reason) };
  return thrown.afterMs === undefined ? report : { ...report, retryAfterMs: thrown.afterMs };
}

/** The payload will not change, so another attempt would end the same way. */
export const refused = (token: string, reason: string): Report => ({
  token,
  outcome: 'fail',
  failure: failure('PAYLOAD_INVALID', reason),
});

/** Nothing to report where the lease is no longer valid. */
export function aborted(token: string, cause: AbortCause): Report | undefined {
  if (cause === 'revoked') return undefined;
  if (cause === 'cancelled') return givenUp(token);
  const { code, message } = CAUSES[cause];
  return { token, outcome: 'retry', failure: failure(code, message) };
}

/**
 * A cancelled or overdue attempt is reported as that, whatever its handler made of the signal. One that only lost touch,
 * or whose worker stops, keeps the result that it reached: the leader's word on the token decides.
 */
export const keepsResult = (cause: AbortCause): boolean => cause === 'leaseLost' || cause === 'stopping';
