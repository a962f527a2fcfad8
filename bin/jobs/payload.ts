/** The payload of `reprise submit`: JSON text, a file, or stdin. */
import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import { RepriseError } from '../../protocols/errors.js';

export async function readPayload(text: string | undefined): Promise<unknown> {
  if (text === undefined) return null;
  if (text === '-') return jsonOrBytes(await buffer(process.stdin));
  if (text.startsWith('@')) return jsonOrBytes(await readFile(text.slice(1)).catch((cause: unknown) => unreadable(text.slice(1), cause)));
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RepriseError('USAGE', `The payload is not JSON: ${why}.`, { cause, hint: `A text needs quotes, as in '"hello"'; @file and - take bytes.` });
  }
}

function jsonOrBytes(bytes: Buffer): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch {
    return bytes;
  }
}

function unreadable(path: string, cause: unknown): never {
  throw new RepriseError('USAGE', `${path} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`, { cause, hint: 'Check the path after @.' });
}
