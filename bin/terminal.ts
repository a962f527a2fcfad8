/** Output to the terminal: colours only on a TTY and without NO_COLOR (https://no-color.org). */
import { styleText } from 'node:util';

type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'gray' | 'bold';

interface Stream {
  readonly isTTY?: boolean;
}

export function paint(colour: Colour, text: string, stream: Stream = process.stdout): string {
  return stream.isTTY && !process.env['NO_COLOR'] ? styleText(colour, text) : text;
}

// oxlint-disable-next-line no-control-regex -- control characters are to be matched
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/g;

/** Escapes the control characters of untrusted text, which could control the terminal. */
export const visible = (text: string): string =>
  text.replaceAll(CONTROL, (one) => `\\x${one.charCodeAt(0).toString(16).padStart(2, '0')}`);

export const print = (line: string): void => void process.stdout.write(`${line}\n`);
export const note = (line: string): void => void process.stderr.write(`${line}\n`);
