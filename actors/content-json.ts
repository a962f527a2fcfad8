/**
 * Payloads and results in JSON. They are never parsed into values: they are the bytes of the request, as the reader of
 * the envelope returns them.
 */
import { Invalid } from '../protocols/bounds.js';
import { BYTES_TYPE, contentText, JSON_TYPE } from '../protocols/content.js';
import { withMember } from '../protocols/json-text.js';

export type ContentName = 'payload' | 'result';

export interface GivenContent {
  readonly bytes: Uint8Array;
  /** As it was given. */
  readonly contentType: string | undefined;
}

const NULL = Buffer.from('null');

/** @param value a request of a shape with content. Absent content is null. @throws Invalid */
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
 * JSON content is inserted as its own bytes, anything else in base64 with its type. Content of the type JSON that is
 * not valid JSON goes in base64, too.
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
