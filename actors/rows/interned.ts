/** Texts that many rows have in common, each kept once under a number and counted. */
import { Rows, wordAt } from './rows.js';

const ROW_BYTES = 8;
const WORDS = ROW_BYTES / 4;
/** How many rows have the text. The free list of rows uses the first word. */
const COUNT = 1;

/** The empty text has the number 0. */
export class Interned {
  readonly rows = new Rows<string>(ROW_BYTES);
  private readonly numbers = new Map<string, number>();

  /** The number of a text, which one more row has now. */
  take(text: string): number {
    if (text === '') return 0;
    let number = this.numbers.get(text);
    if (number === undefined) {
      number = this.rows.add() + 1;
      this.rows.setObject(number - 1, text);
      this.numbers.set(text, number);
    }
    this.rows.write(number - 1).u32[wordAt(number - 1, WORDS) + COUNT]! += 1;
    return number;
  }

  text(number: number): string {
    return number === 0 ? '' : this.rows.object(number - 1)!;
  }

  /** One row less has it. */
  drop(number: number): void {
    if (number === 0) return;
    const row = number - 1;
    const { u32 } = this.rows.write(row);
    if ((u32[wordAt(row, WORDS) + COUNT]! -= 1) > 0) return;
    this.numbers.delete(this.rows.object(row)!);
    this.rows.remove(row);
  }

  /** The rows were restored: their texts are found again. */
  restored(): void {
    for (let row = 0; row < this.rows.end; row += 1) {
      const text = this.rows.object(row);
      if (text !== undefined) this.numbers.set(text, row + 1);
    }
  }
}
