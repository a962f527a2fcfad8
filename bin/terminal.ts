/** Output to the terminal: colours only on a TTY and without NO_COLOR (https://no-color.org). */
import { styleText } from 'node:util';

type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'gray' | 'bold';

interface Stream {
  readonly isTTY?: boolean;
}

export function paint(colour: Colour, text: string, stream: Stream = process.stdout): string {
  return stream.isTTY && !process.env['NO_COLOR'] ? styleText(colour, text) : text;
}

/** Line separators and those that change the order of the text around them (bidirectional) as well. */
const CONTROL = /[\p{Control}\p{Bidi_Control}\u2028\u2029]/gu;

/** Escapes the control characters of untrusted text, which could control the terminal or show it in another order. */
export const visible = (text: string): string => text.replaceAll(CONTROL, escaped);

function escaped(one: string): string {
  const code = one.charCodeAt(0).toString(16);
  return code.length > 2 ? `\\u${code.padStart(4, '0')}` : `\\x${code.padStart(2, '0')}`;
}

export const print = (line: string): void => void process.stdout.write(`${line}\n`);
export const note = (line: string): void => void process.stderr.write(`${line}\n`);
