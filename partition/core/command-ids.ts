/**
 * The commands of the last ten minutes by their ids, so that a repeated command is recognized: rows in a queue, oldest
 * first, and an index of their names. What is forgotten depends only on the journal, so every replay forgets the same.
 */
import { NameIndex } from '../../actors/rows/name-index.js';
import { listIn, listPart, type Part, type PartBytes } from '../../actors/rows/parts.js';
import { RowQueue } from '../../actors/rows/row-queue.js';
import { wordAt } from '../../actors/rows/rows.js';
import type { CommandEntry } from '../../actors/step.js';
import { idWords, isJobIdOf, jobIdOfWords, type Partition } from '../../protocols/ids.js';

/** Limits of what is remembered. The first that is reached counts. */
export const COMMANDS = {
  ms: 600_000,
  most: 1_000_000,
  /** Of all ids together: a million of 32 characters, or fewer longer ones. */
  characters: 1 << 25,
} as const;

/** A row: the time in 8 bytes, the fingerprint, words of 4 bytes, and the name. */
const FINGERPRINT_BYTES = 32;
const [FINGERPRINT, HIGH, MIDDLE, LOW, NAME] = [2, 10, 11, 12, 13];
const ROW_WORDS = 18;
const ROW_BYTES = ROW_WORDS * 4;
const ROW_NUMBERS = ROW_BYTES / 8;

/** In the word LOW: the last 16 bits of the id, the number of the type, flags, and the code of the name. */
const LOW_ID = 0xffff;
const TYPE_SHIFT = 16;
const MOST_TYPES = 0xff;
const HAS_FINGERPRINT = 1 << 24;
/** Names of parts. */
const [HEAD, ROWS] = ['head', 'rows'];

/** What few rows have: a long name, the id of an actor that is no job of this partition, a type beyond the list. */
interface Beside {
  readonly name?: string | undefined;
  readonly id?: string | undefined;
  readonly type?: string | undefined;
}

interface Head {
  readonly forgottenMs: number;
  readonly characters: number;
  readonly types: string[];
}

const words = new Uint32Array(3);

export class CommandIds {
  /** When the newest command was accepted that was forgotten before its ten minutes were over; 0: none. */
  private forgottenMs = 0;
  private characters = 0;
  /** In the order in which they were first seen. There are few. */
  private types: string[] = [];
  private readonly rows = new RowQueue<Beside>(ROW_BYTES);
  private readonly names = new NameIndex(this.rows, { rowWords: ROW_WORDS, codeWord: LOW, nameWord: NAME });

  constructor(
    private readonly partition: Partition,
    private readonly most: number = COMMANDS.most,
  ) {}

  get size(): number {
    return this.rows.size;
  }

  /** Memory of the rows, with names of usual length, and of the index. */
  get columnBytes(): number {
    return this.rows.bytes + this.names.bytes;
  }

  has(name: string): boolean {
    return this.names.find(name) >= 0;
  }

  get(name: string): CommandEntry | undefined {
    const row = this.names.find(name);
    return row < 0 ? undefined : this.entryAt(row);
  }

  /** Adds a command that is not known yet. @param fingerprint of 32 bytes, or none */
  add(name: string, type: string, id: string, fingerprint: Uint8Array | undefined, atMs: number): void {
    const row = this.rows.push();
    const { u32, f64, bytes } = this.rows.write(row);
    const at = wordAt(row, ROW_WORDS);
    f64[wordAt(row, ROW_NUMBERS)] = atMs;
    const number = this.numberOf(type);
    let low = number << TYPE_SHIFT;
    const isJob = isJobIdOf(this.partition, id);
    if (isJob) {
      idWords(id, words);
      u32[at + HIGH] = words[0]!;
      u32[at + MIDDLE] = words[1]!;
      low |= words[2]!;
    }
    if (fingerprint?.length === FINGERPRINT_BYTES) {
      bytes.set(fingerprint, (at + FINGERPRINT) * 4);
      low |= HAS_FINGERPRINT;
    }
    u32[at + LOW] = low;
    const long = this.names.name(row, name);
    if (long !== undefined || !isJob || number === MOST_TYPES) {
      const beside = { name: long, id: isJob ? undefined : id, type: number === MOST_TYPES ? type : undefined };
      this.rows.setObject(row, beside);
    }
    this.characters += name.length;
  }

  /** Removes commands that are too old, and the oldest while there are too many. */
  forget(nowMs: number): void {
    while (this.size > 0) {
      const atMs = this.atMs(this.rows.first);
      const isOld = atMs + COMMANDS.ms < nowMs;
      if (!isOld && this.size <= this.most && this.characters <= COMMANDS.characters) return;
      if (!isOld) this.forgottenMs = atMs;
      this.dropOldest();
    }
  }

  /** For how long a repeated command is recognized at present: ten minutes, or less after too many commands. */
  windowMs(nowMs: number): number {
    return this.forgottenMs === 0 ? COMMANDS.ms : Math.min(COMMANDS.ms, nowMs - this.forgottenMs);
  }

  *[Symbol.iterator](): Generator<[string, CommandEntry]> {
    for (let nth = 0; nth < this.size; nth += 1) {
      const row = this.rows.nth(nth);
      yield [this.names.nameOf(row), this.entryAt(row)];
    }
  }

  /** The parts of its state, as it is now. */
  freeze(): Part[] {
    const { forgottenMs, characters, types } = this;
    const head: Head = { forgottenMs, characters, types };
    return [listPart(HEAD, head), ...this.rows.freeze(ROWS)];
  }

  /** Instead of all that is remembered. @throws RangeError if a part is missing or is that of other rows */
  thaw(parts: PartBytes): void {
    const { forgottenMs, characters, types } = listIn<Head>(parts, HEAD);
    this.rows.thaw(ROWS, parts);
    Object.assign(this, { forgottenMs, characters, types });
    this.names.clear();
    for (let nth = 0; nth < this.size; nth += 1) this.names.index(this.rows.nth(nth));
  }

  private atMs(row: number): number {
    return this.rows.read(row).f64[wordAt(row, ROW_NUMBERS)]!;
  }

  private entryAt(row: number): CommandEntry {
    const { u32, bytes } = this.rows.read(row);
    const at = wordAt(row, ROW_WORDS);
    const low = u32[at + LOW]!;
    const from = (at + FINGERPRINT) * 4;
    const fingerprint = (low & HAS_FINGERPRINT) === 0 ? '' : bytes.toString('hex', from, from + FINGERPRINT_BYTES);
    const beside = this.rows.object(row);
    const type = beside?.type ?? this.types[(low >>> TYPE_SHIFT) & MOST_TYPES]!;
    const id = beside?.id ?? jobIdOfWords(this.partition, u32[at + HIGH]!, u32[at + MIDDLE]!, low & LOW_ID);
    return { type, id, fingerprint, atMs: this.atMs(row) };
  }

  /** @returns `MOST_TYPES` if the list is full */
  private numberOf(type: string): number {
    const { types } = this;
    const known = types.indexOf(type);
    if (known >= 0) return known;
    return types.length < MOST_TYPES ? types.push(type) - 1 : MOST_TYPES;
  }

  private dropOldest(): void {
    const { rows: { first }, names } = this;
    this.characters -= names.lengthOf(first);
    names.delete(first);
    this.rows.shift();
  }
}
