/** The payload of `reprise submit`: JSON text, a file, or stdin. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { JSON_TYPE } from '../../protocols/content.js';
import { messageOf, RepriseError } from '../../protocols/errors.js';
import type { JobToSubmit } from '../../sdk/client.js';

/** JSON is sent as written, without surrounding white space: parsing and serializing it could change numbers. */
type Payload = Pick<JobToSubmit, 'payload' | 'contentType'>;

export async function readPayload(text: string | undefined): Promise<Payload> {
  if (text === undefined) return { payload: null };
  if (text === '-') return jsonOrBytes(await buffer(process.stdin));
  if (text.startsWith('@')) return jsonOrBytes(await contentOf(text.slice(1)));
  try {
    return written(text);
  } catch (cause) {
    const hint = `A text needs quotes, as in '"hello"'; @file and - accept any bytes.`;
    throw new RepriseError('USAGE', `The payload is not JSON: ${messageOf(cause)}.`, { cause, hint });
  }
}

function jsonOrBytes(bytes: Buffer): Payload {
  try {
    return written(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return { payload: bytes };
  }
}

/** @throws if it is not JSON */
function written(text: string): Payload {
  JSON.parse(text);
  return { payload: Buffer.from(text.trim()), contentType: JSON_TYPE };
}

async function contentOf(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    const message = `The payload file ${path} cannot be read: ${messageOf(cause)}.`;
    throw new RepriseError('USAGE', message, { cause, hint: 'Check the path after @.' });
  }
}
