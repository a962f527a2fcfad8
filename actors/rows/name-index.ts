/**
 * From the name of a row to the row, for names that clients choose: the names lie in the rows, and the index is a hash
 * table with open addressing over a keyed hash. The table is no part of the state. It is in segments which grow one by
 * one, so no command waits until a million entries have moved.
 */
import { hashOf, isBeside, lengthOf, PackedName, textOf } from './packed-name.js';
import { wordAt, type Page } from './rows.js';

/** The object beside a row has its name, if the name is long or not ASCII. */
export interface NameBeside {
  readonly name?: string | undefined;
}

export interface NamedRows<O extends NameBeside> {
  read(row: number): Page<O>;
  write(row: number): Page<O>;
  object(row: number): O | undefined;
}

/** Numbers of words in a row. */
export interface NameLayout {
  readonly rowWords: number;
  /** Its 6 highest bits are the code of the name. */
  readonly codeWord: number;
  /** The name, up to the end of the row. */
  readonly nameWord: number;
}

const CODE_SHIFT = 26;
const SEGMENT_BITS = 6;
const SEGMENTS = 1 << SEGMENT_BITS;
const SEGMENT_SHIFT = 32 - SEGMENT_BITS;
/** A slot is a row plus one (0 is free) and the hash of its name. */
const SLOT_SHIFT = 1;
const SLOT = 1 << SLOT_SHIFT;
const FIRST_SLOTS = 16;
const FULLEST = 0.6;

export class NameIndex<O extends NameBeside> {
  private segments: Int32Array[] = [];
  private sizes: number[] = [];
  private readonly packed: PackedName;
  private readonly nameWords: number;

  constructor(private readonly rows: NamedRows<O>, private readonly layout: NameLayout) {
    this.nameWords = layout.rowWords - layout.nameWord;
    this.packed = new PackedName(this.nameWords);
    this.clear();
  }

  /** Memory of the table. */
  get bytes(): number {
    return this.segments.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  clear(): void {
    this.segments = Array.from({ length: SEGMENTS }, () => new Int32Array(FIRST_SLOTS * SLOT));
    this.sizes = Array.from({ length: SEGMENTS }, () => 0);
  }

  /** @returns -1 if there is none */
  find(name: string): number {
    const { packed } = this;
    packed.set(name);
    const { hash } = packed;
    const slots = this.segments[hash >>> SEGMENT_SHIFT]!;
    const mask = slots.length - 1;
    for (let at = (hash << SLOT_SHIFT) & mask; slots[at] !== 0; at = (at + SLOT) & mask) {
      if (slots[at + 1] === hash && this.isPacked(slots[at]! - 1)) return slots[at]! - 1;
    }
    return -1;
  }

  /**
   * Names a row that has none.
   * @returns the name if it must be in the object beside the row, which the caller sets
   */
  name(row: number, name: string): string | undefined {
    const { packed, layout: { rowWords, codeWord, nameWord }, nameWords } = this;
    packed.set(name);
    const { u32 } = this.rows.write(row);
    const from = wordAt(row, rowWords);
    u32[from + codeWord]! |= packed.code << CODE_SHIFT;
    this.put(row, packed.hash);
    if (isBeside(packed.code)) return name;
    const { words } = packed;
    for (let nth = 0; nth < nameWords; nth += 1) u32[from + nameWord + nth] = words[nth]!;
    return undefined;
  }

  /** Of a row that has a name: after rows were restored. */
  index(row: number): void {
    this.put(row, this.hashOfRow(row));
  }

  /** Before the row is removed. What was moved past the slot by others moves back, so that it is found. */
  delete(row: number): void {
    const hash = this.hashOfRow(row);
    const segment = hash >>> SEGMENT_SHIFT;
    const slots = this.segments[segment]!;
    const mask = slots.length - 1;
    let hole = (hash << SLOT_SHIFT) & mask;
    while (slots[hole] !== row + 1) hole = (hole + SLOT) & mask;
    for (let at = (hole + SLOT) & mask; slots[at] !== 0; at = (at + SLOT) & mask) {
      const home = (slots[at + 1]! << SLOT_SHIFT) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = slots[at]!;
      slots[hole + 1] = slots[at + 1]!;
      hole = at;
    }
    slots[hole] = 0;
    this.sizes[segment]! -= 1;
  }

  nameOf(row: number): string {
    const code = this.codeOf(row);
    if (isBeside(code)) return this.rows.object(row)!.name!;
    const { bytes, u32 } = this.rows.read(row);
    return textOf(bytes, u32, wordAt(row, this.layout.rowWords) + this.layout.nameWord, code);
  }

  /** Of the name, in characters. */
  lengthOf(row: number): number {
    const code = this.codeOf(row);
    return isBeside(code) ? this.rows.object(row)!.name!.length : lengthOf(code);
  }

  private codeOf(row: number): number {
    const { rowWords, codeWord } = this.layout;
    return this.rows.read(row).u32[wordAt(row, rowWords) + codeWord]! >>> CODE_SHIFT;
  }

  private hashOfRow(row: number): number {
    const code = this.codeOf(row);
    const { rowWords, nameWord } = this.layout;
    if (!isBeside(code)) return hashOf(this.rows.read(row).u32, wordAt(row, rowWords) + nameWord, code);
    this.packed.set(this.nameOf(row));
    return this.packed.hash;
  }

  /** Whether the packed name is that of the row: all of it is compared, because names with one hash can be found. */
  private isPacked(row: number): boolean {
    const { packed: { code, words, text }, layout: { rowWords, codeWord, nameWord }, nameWords } = this;
    const { u32 } = this.rows.read(row);
    const from = wordAt(row, rowWords);
    if (u32[from + codeWord]! >>> CODE_SHIFT !== code) return false;
    if (isBeside(code)) return this.rows.object(row)!.name === text;
    for (let nth = 0; nth < nameWords; nth += 1) if (u32[from + nameWord + nth] !== words[nth]) return false;
    return true;
  }

  private put(row: number, hash: number): void {
    const segment = hash >>> SEGMENT_SHIFT;
    const size = (this.sizes[segment]! += 1);
    if (size * SLOT > this.segments[segment]!.length * FULLEST) this.grow(segment);
    putInto(this.segments[segment]!, row + 1, hash);
  }

  private grow(segment: number): void {
    const old = this.segments[segment]!;
    const slots = (this.segments[segment] = new Int32Array(old.length * 2));
    for (let at = 0; at < old.length; at += SLOT) if (old[at] !== 0) putInto(slots, old[at]!, old[at + 1]!);
  }
}

function putInto(slots: Int32Array, entry: number, hash: number): void {
  const mask = slots.length - 1;
  let at = (hash << SLOT_SHIFT) & mask;
  while (slots[at] !== 0) at = (at + SLOT) & mask;
  slots[at] = entry;
  slots[at + 1] = hash;
}
