/** JSON that stays the text that it is: recognised, and put into other JSON, without being parsed and written anew. */
import { isUtf8 } from 'node:buffer';

/** The bytes as text, if they are one JSON value in UTF-8. White space around it belongs to the text. */
export function jsonText(bytes: Uint8Array): string | undefined {
  if (!isUtf8(bytes)) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
  try {
    JSON.parse(text);
    return text;
  } catch {
    return undefined;
  }
}

/** The object as JSON, with one more member, whose value is JSON text already. */
export function withMember(object: object, name: string, text: string): string {
  const others = JSON.stringify(object);
  return `${others.slice(0, -1)}${others === '{}' ? '' : ','}${JSON.stringify(name)}:${text}}`;
}

/** JSON on one line. Between its tokens is the only place where it has line breaks and tabs. */
export const oneLine = (json: string): string => json.replaceAll(/[\t\r\n]+/g, ' ');
