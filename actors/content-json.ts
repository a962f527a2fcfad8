/**
 * Payloads and results in JSON. They are never values here: they are the bytes of the request itself, as the envelope's
 * reader left them.
 */
import { Invalid } from '../protocols/bounds.js';
import { BYTES_TYPE, contentText, JSON_TYPE } from '../protocols/content.js';
import { withMember } from '../protocols/json-text.js';

export type ContentName = 'payload' | 'result';

export interface GivenContent {
  readonly bytes: Uint8Array;
  /** As it was given; bytes without a type have none that can be read. */
  readonly contentType: string | undefined;
}

const NULL = Buffer.from('null');

/** @param value a request of a shape with content. Nothing at all is null. @throws Invalid */
export function contentFrom(name: ContentName, value: Readonly<Record<string, unknown>>): GivenContent {
  const given = value[name] as Uint8Array | undefined;
  const inBase64 = value[`${name}Base64`] as string | undefined;
  const contentType = value['contentType'] as string | undefined;
  if (given !== undefined && inBase64 !== undefined) {
    throw new Invalid('INVALID_ARGUMENT', `${name} and ${name}Base64 exclude each other`);
  }
  if (inBase64 === undefined) return { bytes: given ?? NULL, contentType };
  return { bytes: Buffer.from(inBase64, 'base64'), contentType: contentType ?? BYTES_TYPE };
}

/**
 * JSON content goes in as its own bytes, anything else in base64 with its type. What only claims to be JSON is
 * checked.
 */
export function withContent(
  object: object, name: ContentName, bytes: Uint8Array | null | undefined, type: string | null | undefined,
): string {
  if (bytes === null || bytes === undefined) return JSON.stringify(object);
  const asText = type ? undefined : contentText(bytes, '');
  if (asText !== undefined) return withMember(object, name, asText);
  const inBase64 = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
  return JSON.stringify({ ...object, [`${name}Base64`]: inBase64, contentType: type || JSON_TYPE });
}

export const listText = (entries: readonly string[]): string => `[${entries.join(',')}]`;
