/** Payloads and results as handlers see them: JSON values, or bytes. */
import { isUtf8 } from 'node:buffer';
import { jsonText } from './json-text.js';

export const BYTES_TYPE = 'application/octet-stream';
export const JSON_TYPE = 'application/json';

const isJson = (contentType: string): boolean =>
  contentType === '' || contentType === JSON_TYPE || contentType.startsWith(`${JSON_TYPE};`);

/**
 * Empty JSON content decodes to null, as an undefined result is encoded as null.
 * @throws Error if the content type is JSON and the content is not
 */
export function decodeContent(bytes: Uint8Array, contentType: string): unknown {
  if (!isJson(contentType)) return bytes;
  if (bytes.length === 0) return null;
  if (!isUtf8(bytes)) throw new TypeError('the payload is not UTF-8');
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return JSON.parse(buffer.toString());
}

/** JSON content as the text that is stored, to be passed on unchanged; undefined for any other content. */
export function contentText(bytes: Uint8Array, contentType: string): string | undefined {
  if (!isJson(contentType)) return undefined;
  return bytes.length === 0 ? 'null' : jsonText(bytes);
}

export interface EncodedContent {
  readonly bytes: Uint8Array;
  readonly contentType: string;
}

const NULL: EncodedContent = { bytes: Buffer.from('null'), contentType: '' };

/** @throws Error if the value has no encoding: a function, NaN, a BigInt, a cycle, a toJSON that throws */
export function encodeContent(value: unknown): EncodedContent {
  if (value === undefined || value === null) return NULL;
  // Copied, because the handler may reuse its buffer before the report is sent.
  if (value instanceof Uint8Array) return { bytes: Buffer.from(value), contentType: BYTES_TYPE };
  if (value instanceof ArrayBuffer) return { bytes: Buffer.from(value.slice(0)), contentType: BYTES_TYPE };
  const text: string | undefined = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`a ${typeof value} cannot be encoded as JSON`);
  if (text.includes('null')) JSON.stringify(value, finite);
  return { bytes: Buffer.from(text), contentType: '' };
}

/** JSON.stringify would write null, so that an error of the handler would look like a result. */
function finite(_name: string, value: unknown): unknown {
  if (typeof value === 'number' && !Number.isFinite(value)) throw new TypeError(`${value} cannot be encoded as JSON`);
  return value;
}
