/** Encodes bundles, in protobuf or JSON: several requests of one command, and their replies. */
import { z } from 'zod';
import { Invalid, validated } from '../protocols/bounds.js';
import { encoded } from '../protocols/encoded.js';
import { reject, type Rejection } from '../protocols/errors.js';
import { LIMITS } from '../protocols/limits.js';
import { bundle } from '../protocols/messages.js';
import { formatOf, isRejection, type Format } from './codec.js';
import { envelopeOf, type Opaque } from './json.js';
import { decodeStrictly } from './strict.js';

export interface Bundled {
  /** Chosen by the client, and returned with the reply. */
  readonly nth: number;
  /** A request of the command. In a bundle in JSON it is JSON; in protobuf it may be either. */
  readonly data: Uint8Array;
}

export interface BundledReply extends Bundled {
  /** `data` is an error. */
  readonly refused?: true;
}

const JSON_FIELDS: Opaque = new Set(['data']);
/** Anything else would be decoded, and replied to, as protobuf. */
const isObject = (data: Uint8Array): boolean => formatOf(data) === 'json';
const UINT32_MAX = 0xffff_ffff;
const shape = z.strictObject({
  requests: z.array(z.strictObject({
    nth: z.number().int().min(0).max(UINT32_MAX),
    data: z.instanceof(Uint8Array).refine(isObject, 'must be an object'),
  })),
});

export function decodeBundle(format: Format, bytes: Uint8Array): readonly Bundled[] | Rejection {
  if (bytes.length > LIMITS.requestBytes) {
    return reject('TOO_LARGE', `the bundle has ${bytes.length} bytes; the limit is ${LIMITS.requestBytes}`);
  }
  return validated(() => {
    const requests = format === 'json' ? fromJson(bytes) : fromProtobuf(bytes);
    if ('code' in requests) return requests;
    if (requests.length >= 1 && requests.length <= LIMITS.bundleRequests) return requests;
    throw new Invalid('INVALID_ARGUMENT', `a bundle has 1 to ${LIMITS.bundleRequests} requests`);
  });
}

function fromProtobuf(bytes: Uint8Array): readonly Bundled[] | Rejection {
  const decoded = decodeStrictly(bundle.Bundle, bytes);
  return isRejection(decoded) ? decoded : (decoded.requests as readonly Bundled[]);
}

/** The requests stay the bytes that were sent. */
const fromJson = (bytes: Uint8Array): readonly Bundled[] | Rejection => {
  const read = envelopeOf(shape, bytes, JSON_FIELDS);
  return isRejection(read) ? read : read.requests;
};

/** To be forwarded. */
export function encodeBundle(format: Format, requests: readonly Bundled[]): Uint8Array {
  if (format === 'protobuf') return encoded(bundle.Bundle, { requests: [...requests] });
  return Buffer.from(`{"requests":[${requests.map(entryJson).join(',')}]}`);
}

export function encodeReplies(format: Format, replies: readonly BundledReply[]): Uint8Array {
  if (format === 'protobuf') return encoded(bundle.BundleReplies, { replies: [...replies] });
  return Buffer.from(`{"replies":[${replies.map(entryJson).join(',')}]}`);
}

function entryJson({ nth, data, refused }: BundledReply): string {
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
  return `{"nth":${nth},${refused ? '"refused":true,' : ''}"data":${text}}`;
}
