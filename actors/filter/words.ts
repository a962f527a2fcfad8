/** The words of a filter: `key:value,value`, with blanks in between. A value may be in double quotes. */
import { Invalid } from '../../protocols/bounds.js';
import { LIMITS } from '../../protocols/limits.js';

export interface Word {
  /** In characters, from 1. */
  readonly at: number;
  readonly isNegated: boolean;
  readonly key: string;
  readonly values: readonly { readonly at: number; readonly text: string }[];
}

/** @throws Invalid */
export function* wordsOf(text: string): Generator<Word> {
  const bytes = Buffer.byteLength(text);
  if (bytes > LIMITS.filterBytes) {
    throw new Invalid('INVALID_ARGUMENT', `the filter has ${bytes} bytes; the limit is ${LIMITS.filterBytes}`);
  }
  const reader = new Reader(text);
  for (reader.skipBlanks(); !reader.isAtEnd; reader.skipBlanks()) yield reader.word();
}

class Reader {
  private at = 0;

  constructor(private readonly text: string) {}

  get isAtEnd(): boolean {
    return this.at >= this.text.length;
  }

  skipBlanks(): void {
    while (/\s/.test(this.text.charAt(this.at))) this.at += 1;
  }

  word(): Word {
    const at = this.at + 1;
    const isNegated = this.text[this.at] === '-';
    if (isNegated) this.at += 1;
    const key = /[^\s:",]*/y;
    key.lastIndex = this.at;
    const [name] = key.exec(this.text)!;
    this.at += name.length;
    if (name === '' || this.text[this.at] !== ':') {
      const [found] = /^\S*/.exec(this.text.slice(at - 1))!;
      throw refuse(at, `${shown(found)} is no term: a filter has terms like status:failed, with blanks in between`);
    }
    const values: { at: number; text: string }[] = [];
    do {
      this.at += 1;
      values.push({ at: this.at + 1, text: this.value(name) });
    } while (this.text[this.at] === ',');
    if (!this.isAtEnd && !/\s/.test(this.text[this.at]!)) throw refuse(this.at + 1, 'a blank is missing after a value');
    return { at, isNegated, key: name, values };
  }

  private value(key: string): string {
    if (this.text[this.at] === '"') return this.quoted();
    const bare = /[^\s,"]*/y;
    bare.lastIndex = this.at;
    const [text] = bare.exec(this.text)!;
    if (text === '') throw refuse(this.at + 1, `a value of ${shown(key)} is missing; the empty text is ""`);
    this.at += text.length;
    return text;
  }

  private quoted(): string {
    const from = this.at;
    const inside = /"((?:[^"\\]|\\["\\])*)"/y;
    inside.lastIndex = from;
    const found = inside.exec(this.text);
    if (found === null) throw refuse(from + 1, 'the quotes do not end; inside of them only \\" and \\\\ are escapes');
    this.at += found[0].length;
    return found[1]!.replaceAll(/\\(.)/g, '$1');
  }
}

/** A refusal that names the position, in characters from 1. */
export const refuse = (at: number, why: string): Invalid =>
  new Invalid('INVALID_ARGUMENT', `filter, position ${at}: ${why}`);

/** Hostile text in an error message is shown short and escaped. */
export const shown = (value: string): string => JSON.stringify(value.length > 64 ? `${value.slice(0, 64)}…` : value);
