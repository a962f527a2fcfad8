/** Colours, where somebody looks at them and has not asked for none (https://no-color.org). */
import { styleText } from 'node:util';

type Colour = 'red' | 'green' | 'yellow' | 'cyan' | 'gray' | 'bold';

interface Stream {
  readonly isTTY?: boolean;
}

export function paint(colour: Colour, text: string, stream: Stream = process.stdout): string {
  return stream.isTTY && !process.env['NO_COLOR'] ? styleText(colour, text) : text;
}

export const print = (line: string): void => void process.stdout.write(`${line}\n`);
export const note = (line: string): void => void process.stderr.write(`${line}\n`);
