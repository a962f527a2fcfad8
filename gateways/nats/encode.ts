/** Replies as bytes: protobuf, or JSON for those who asked in JSON. */
import type { Reply } from '../../actors/partition/reply.js';
import { wireError, type ForeignRejection, type Rejection } from '../../protocols/errors.js';
import { encoded } from '../../protocols/encoded.js';
import { LIMITS } from '../../protocols/limits.js';
import { error, job, worker } from '../../protocols/messages.js';

export type Format = 'json' | 'protobuf';

/** Of a reply that is no refusal. @param single whether a job was submitted alone, outside of a batch */
export function encodeReply(reply: Exclude<Reply, { kind: 'refused' }>, format: Format, verb: string, single: boolean, partitions: number): Uint8Array {
  switch (reply.kind) {
    case 'jobs':
      if (format === 'json') return json(single ? jobJson(reply.jobs[0]!) : { jobs: reply.jobs.map(jobJson) });
      return verb === 'submit' ? encoded(job.SubmitReply, { jobs: reply.jobs }) : encoded(job.JobReply, reply.jobs[0]!);
    case 'view':
      return format === 'json' ? json(viewJson(reply.view)) : encoded(job.JobView, reply.view);
    case 'pulled':
      return format === 'json' ? json(pulledJson(reply.pulled)) : encoded(worker.PullReply, reply.pulled);
    case 'registered': {
      const message = { partitions, epoch: reply.epoch, maxResultBytes: LIMITS.payloadBytes };
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

function jobJson(reply: job.JobReply.$Properties): unknown {
  const { position, result, contentType, error: refused, ...rest } = reply;
  if (refused) return { error: refused };
  return { ...rest, duplicate: rest.duplicate ?? false, ...content('result', result, contentType), position: positionJson(position) };
}

function viewJson({ position, result, contentType, ...rest }: job.JobView.$Properties): unknown {
  const known = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== null && value !== undefined && value !== ''));
  return { ...known, ...content('result', result, contentType), position: positionJson(position) };
}

const positionJson = (position: job.Position.$Properties | null | undefined): unknown => position && { ...position, hash: hex(position.hash) };

function pulledJson({ epoch, leases, cancel, revoked, rejected }: worker.PullReply.$Properties): unknown {
  return {
    epoch, cancel: cancel ?? [], revoked: revoked ?? [], rejected: rejected ?? [],
    leases: (leases ?? []).map(({ payload, contentType, ...rest }) => ({ ...rest, ...content('payload', payload, contentType) })),
  };
}

/** JSON content as a JSON value, anything else in base64 with its type. Content that only claims to be JSON is not trusted. */
function content(name: 'payload' | 'result', bytes: Uint8Array | null | undefined, type: string | null | undefined): Record<string, unknown> {
  if (bytes === null || bytes === undefined) return {};
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!type) {
    try {
      return { [name]: buffer.length === 0 ? null : JSON.parse(buffer.toString('utf8')) };
    } catch {
      return { [`${name}Base64`]: buffer.toString('base64'), contentType: 'application/json' };
    }
  }
  return { [`${name}Base64`]: buffer.toString('base64'), contentType: type };
}
