/** Builds the report on an attempt that has ended. */
import type { worker } from '../../protocols/messages.js';
import { CAUSES, type AbortCause } from './attempt.js';
import { encodeContent, type EncodedContent } from '../../protocols/content.js';
import { Control } from './context.js';
import { failure, failureOf, thrownMessage } from './failure.js';

/** The report as the worker sends it. */
export type AttemptReport = worker.Report.$Properties & {
  token: string; outcome: 'ok' | 'retry' | 'fail' | 'cancelled' | 'returned';
};

/** A result that cannot be encoded or is too large is an error of the performer, retried like any other. */
export function returned(token: string, value: unknown, maxBytes: number): AttemptReport {
  let content: EncodedContent;
  try {
    content = encodeContent(value);
  } catch (cause) {
    return resultInvalid(token, `the result cannot be encoded: ${thrownMessage(cause)}`);
  }
  const { bytes, contentType } = content;
  if (bytes.length > maxBytes) {
    return resultInvalid(token, `the result has ${bytes.length} bytes; at most ${maxBytes} are allowed`);
  }
  return { token, outcome: 'ok', result: bytes, contentType };
}

export const resultInvalid = (token: string, message: string): AttemptReport => ({
  token,
  outcome: 'retry',
  failure: failure('RESULT_INVALID', message),
});

/** The attempt has ended without a result or a failure. */
export const givenUp = (token: string): AttemptReport => ({ token, outcome: 'cancelled' });

/** The worker stops. It counts as no attempt. */
const handedBack = (token: string): AttemptReport => ({ token, outcome: 'returned' });

/** The report to send instead of one that the leader refused; undefined if there is no simpler one. */
export function plainer({ token, outcome }: AttemptReport, why: string): AttemptReport | undefined {
  if (outcome === 'ok') return resultInvalid(token, `the leader refused the result: ${why}`);
  return outcome === 'cancelled' ? undefined : givenUp(token);
}

export function threw(token: string, thrown: unknown): AttemptReport {
  if (!Control.is(thrown)) return { token, outcome: 'retry', failure: failureOf(thrown) };
  if (thrown.kind === 'fail') return { token, outcome: 'fail', failure: failure('PERFORMER_FAILED', thrown.reason) };
  const report: AttemptReport = { token, outcome: 'retry', failure: failure('PERFORMER_ERROR', thrown.reason) };
  return thrown.afterMs === undefined ? report : { ...report, retryAfterMs: thrown.afterMs, scope: thrown.scope ?? '' };
}

/** The payload cannot change, so another attempt would end in the same way. */
export const refused = (token: string, reason: string): AttemptReport => ({
  token,
  outcome: 'fail',
  failure: failure('PAYLOAD_INVALID', reason),
});

/** Without a valid lease there is nothing to report. */
export function aborted(token: string, cause: AbortCause): AttemptReport | undefined {
  if (cause === 'revoked') return undefined;
  if (cause === 'cancelled') return givenUp(token);
  if (cause === 'stopping') return handedBack(token);
  const { code, message } = CAUSES[cause];
  return { token, outcome: 'retry', failure: failure(code, message) };
}

/**
 * A cancelled or overdue attempt is reported as such, whatever its handler did after the abort. If only the lease was
 * lost, or the worker stops, a result is still reported: the leader accepts it if the token is current.
 */
export const keepsResult = (cause: AbortCause): boolean => cause === 'leaseLost' || cause === 'stopping';
