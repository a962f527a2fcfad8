/** The payload of `reprise submit`: JSON text, a file, or stdin. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { JSON_TYPE } from '../../protocols/content.js';
import { RepriseError } from '../../protocols/errors.js';
import type { JobToSubmit } from '../../sdk/client.js';

/**
 * JSON goes as it was written, without the white space around it: what is parsed and written anew may be another
 * number.
 */
type Payload = Pick<JobToSubmit, 'payload' | 'contentType'>;

export async function readPayload(text: string | undefined): Promise<Payload> {
  if (text === undefined) return { payload: null };
  if (text === '-') return jsonOrBytes(await buffer(process.stdin));
  if (text.startsWith('@')) return jsonOrBytes(await readFile(text.slice(1)).catch((cause: unknown) => unreadable(text.slice(1), cause)));
  try {
    return written(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RepriseError('USAGE', `The payload is not JSON: ${why}.`, { cause, hint: `A text needs quotes, as in '"hello"'; @file and - take bytes.` });
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

function unreadable(path: string, cause: unknown): never {
  throw new RepriseError('USAGE', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause, hint: 'Check the path after @.' });
}
