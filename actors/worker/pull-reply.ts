/** The reply to pull, report and heartbeat in JSON, and what their requests have in common. */
import { z } from 'zod';
import { withMember } from '../../protocols/json-text.js';
import type { worker } from '../../protocols/messages.js';
import { listText, withContent } from '../content-json.js';
import { count, optionalText } from '../shapes.js';

/** Of every request of a session. */
export const sessionShape = { workerId: z.string(), session: z.string(), proof: optionalText };
export const partitionShape = { partition: count.optional() };

export function pullReplyJson(reply: worker.PullReply.$Properties): string {
  const { epoch, leases, cancel, revoked, rejected, drain } = reply;
  const given = (leases ?? []).map(
    ({ payload, contentType, ...rest }) => withContent(rest, 'payload', payload, contentType),
  );
  const lists = { cancel: cancel ?? [], revoked: revoked ?? [], rejected: rejected ?? [] };
  const others = { epoch, ...lists, ...(drain && { drain }) };
  return withMember(others, 'leases', listText(given));
}
