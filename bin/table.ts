/** Tables on the terminal. */
import { paint } from './terminal.js';

export interface TableRow {
  readonly cells: readonly string[];
  readonly colour?: 'red' | 'yellow' | undefined;
}

/** A line of headings, then one for each row. Each column is as wide as its widest cell. */
export function* table(headings: readonly string[], rows: readonly TableRow[]): Generator<string> {
  const widths = headings.map((heading, column) =>
    Math.max(heading.length, ...rows.map(({ cells }) => cells[column]!.length)));
  const line = (cells: readonly string[]): string =>
    cells.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd();
  yield paint('gray', line(headings));
  for (const { cells, colour } of rows) yield colour === undefined ? line(cells) : paint(colour, line(cells));
}
