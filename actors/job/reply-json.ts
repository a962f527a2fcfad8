/** The reply to submit, await and cancel, in JSON and among brokers. */
import { foreignRejection, wireError, type ForeignRejection } from '../../protocols/errors.js';
import type { job } from '../../protocols/messages.js';
import { withContent } from '../content-json.js';

export function jobReplyJson(reply: job.JobReply.$Properties): string {
  const { position, result, contentType, error: refused, ...rest } = reply;
  if (refused) return JSON.stringify({ error: refused });
  const whole = { ...rest, duplicate: rest.duplicate ?? false, position: positionJson(position) };
  return withContent(whole, 'result', result, contentType);
}

const hex = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('hex');

export const positionJson = (position: job.Position.$Properties | null | undefined): unknown =>
  position && { ...position, hash: hex(position.hash) };

/** A reply about one job that holds a refusal is that refusal. */
export const refusalOf = ({ error }: job.JobReply.$Properties): ForeignRejection | undefined =>
  error ? foreignRejection(error) : undefined;

/** Without the defaults of the prototype, which JSON would show: a job that has not ended has no empty result. */
export function receivedReply(reply: job.JobReply.$Properties): job.JobReply.$Properties {
  if (reply.error) return { error: wireError(foreignRejection(reply.error)) };
  return { ...reply, ...(reply.status === 'completed' && { result: reply.result ?? null }) };
}
