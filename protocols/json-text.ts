/**
 * JSON that is passed on as the text that it is: validated, and put into other JSON, without being serialised again.
 */
import { isUtf8 } from 'node:buffer';
import { tryRead } from './try-read.js';

/** The bytes as text, if they are one JSON value in UTF-8. White space around it is part of the text. */
export function jsonText(bytes: Uint8Array): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  return tryRead(() => JSON.parse(text) as unknown) === undefined ? undefined : text;
}

/** The object as JSON, with one more member, whose value is JSON text already. */
export function withMember(object: object, name: string, text: string): string {
  const others = JSON.stringify(object);
  return `${others.slice(0, -1)}${others === '{}' ? '' : ','}${JSON.stringify(name)}:${text}}`;
}

/** JSON on one line. Line breaks and tabs occur in JSON only between tokens, so replacing them changes no value. */
export const oneLine = (json: string): string => json.replaceAll(/[\t\r\n]+/g, ' ');

/** Of a JSON object as a field of text has it; empty: not given. */
export const documentText = (given: object | undefined): string => (given === undefined ? '' : JSON.stringify(given));
