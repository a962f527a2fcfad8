/** Replies as bytes: protobuf, or JSON for those who asked in JSON. */
import type { Shaped } from './shapes.js';
import { contentText } from '../../protocols/content.js';
import { wireError, type ForeignRejection, type Rejection } from '../../protocols/errors.js';
import { encoded } from '../../protocols/encoded.js';
import { withMember } from '../../protocols/json-text.js';
import { LIMITS } from '../../protocols/limits.js';
import { error, job, worker } from '../../protocols/messages.js';

export type Format = 'json' | 'protobuf';

/** Of a reply that is no refusal. @param single whether a job was submitted alone, outside of a batch */
export function encodeReply(reply: Exclude<Shaped, { kind: 'refused' }>, format: Format, verb: string, single: boolean, partitions: number): Uint8Array {
  switch (reply.kind) {
    case 'jobs':
      if (format === 'json') return Buffer.from(single ? jobJson(reply.jobs[0]!) : withMember({}, 'jobs', listJson(reply.jobs.map(jobJson))));
      return verb === 'submit' ? encoded(job.SubmitReply, { jobs: reply.jobs }) : encoded(job.JobReply, reply.jobs[0]!);
    case 'view':
      return format === 'json' ? Buffer.from(viewJson(reply.view)) : encoded(job.JobView, reply.view);
    case 'pulled':
      return format === 'json' ? Buffer.from(pulledJson(reply.pulled)) : encoded(worker.PullReply, reply.pulled);
    case 'registered': {
      const { epoch, session, proof } = reply;
      const message = { partitions, epoch, session, proof, maxResultBytes: LIMITS.payloadBytes };
      return format === 'json' ? json(message) : encoded(worker.RegisterReply, message);
    }
    case 'drained': {
      const message = { epoch: reply.epoch, status: reply.status };
      return format === 'json' ? json(message) : encoded(worker.DrainReply, message);
    }
    default:
      return reply satisfies never;
  }
}

export const encodeError = (rejection: Rejection | ForeignRejection, format: Format): Uint8Array =>
  format === 'json' ? json(wireError(rejection)) : encoded(error.Error, wireError(rejection));

const json = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value));
const hex = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('hex');

const listJson = (entries: readonly string[]): string => `[${entries.join(',')}]`;

function jobJson(reply: job.JobReply.$Properties): string {
  const { position, result, contentType, error: refused, ...rest } = reply;
  if (refused) return JSON.stringify({ error: refused });
  return withContent({ ...rest, duplicate: rest.duplicate ?? false, position: positionJson(position) }, 'result', result, contentType);
}

function viewJson({ position, result, contentType, ...rest }: job.JobView.$Properties): string {
  const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null && value !== undefined && value !== ''));
  return withContent({ ...known, position: positionJson(position) }, 'result', result, contentType);
}

const positionJson = (position: job.Position.$Properties | null | undefined): unknown => position && { ...position, hash: hex(position.hash) };

function pulledJson({ epoch, leases, cancel, revoked, rejected }: worker.PullReply.$Properties): string {
  const given = (leases ?? []).map(({ payload, contentType, ...rest }) => withContent(rest, 'payload', payload, contentType));
  return withMember({ epoch, cancel: cancel ?? [], revoked: revoked ?? [], rejected: rejected ?? [] }, 'leases', listJson(given));
}

/** JSON content goes in as its own bytes, anything else in base64 with its type. What only claims to be JSON is checked. */
function withContent(object: object, name: 'payload' | 'result', bytes: Uint8Array | null | undefined, type: string | null | undefined): string {
  if (bytes === null || bytes === undefined) return JSON.stringify(object);
  const text = type ? undefined : contentText(bytes, '');
  if (text !== undefined) return withMember(object, name, text);
  const base64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return JSON.stringify({ ...object, [`${name}Base64`]: base64, contentType: type || 'application/json' });
}
