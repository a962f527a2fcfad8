/** Keys of jobs, unique per queue until the job has ended and for a while after: rows, and an index of their names. */
import { idWords, jobIdOfWords, type JobId, type Partition } from '../../protocols/ids.js';
import { DEFAULTS } from '../../protocols/limits.js';
import { NameIndex } from '../rows/name-index.js';
import { listIn, listPart, restoreRows, rowParts, type Part, type PartBytes } from '../rows/parts.js';
import { PAGE_ROWS, Rows, wordAt } from '../rows/rows.js';
import { RowList, type RowListHead } from './row-list.js';

export interface KeyEntry {
  readonly jobId: JobId;
  /** SHA-256, hexadecimal. */
  readonly fingerprint: string;
  /** When it may be forgotten; 0 until its job has ended. */
  readonly untilMs: number;
}

/**
 * Limit of keys. Of jobs that have not ended: beyond it jobs with new keys are refused. Of ended jobs: beyond it the
 * oldest keys are forgotten.
 */
export const MOST_KEYS = 200_000;

/**
 * Of a key in a queue. Keys may hold slashes, so that of a queue with a group begins with one, as no other does:
 * `a` with the key `b/c` is not `a/b` with the key `c`.
 */
export const keyName = (queue: string, key: string): string =>
  (queue.includes('/') ? `/${queue}/${key}` : `${queue}/${key}`);

/** A row: the time in 8 bytes, the fingerprint, words of 4 bytes, and the name. */
const FINGERPRINT_BYTES = 32;
const [FINGERPRINT, HIGH, MIDDLE, LOW, BEFORE, AFTER, NAME] = [2, 10, 11, 12, 13, 14, 15];
const ROW_WORDS = 26;
const ROW_BYTES = ROW_WORDS * 4;
const ROW_NUMBERS = ROW_BYTES / 8;

/** In the word LOW: the last 16 bits of the id, flags, and the code of the name. */
const LOW_ID = 0xffff;
const HAS_FINGERPRINT = 1 << 16;
const IS_PAST = 1 << 17;
const FLAGS = HAS_FINGERPRINT | IS_PAST | LOW_ID;
/** Names of parts, among those of all jobs. */
const [HEAD, ROWS] = ['keys', 'keys/rows'];

/** What few rows have: a long name, a fingerprint of another length. */
interface Beside {
  readonly name?: string | undefined;
  /** Hexadecimal. */
  readonly fingerprint?: string | undefined;
}

interface Head {
  readonly live: RowListHead;
  readonly past: RowListHead;
}

const words = new Uint32Array(3);

export class Keys {
  private readonly rows = new Rows<Beside>(ROW_BYTES);
  private readonly names = new NameIndex(this.rows, { rowWords: ROW_WORDS, codeWord: LOW, nameWord: NAME });
  /** Keys of jobs that have not ended, and of jobs that have, the oldest end first. A name is in one of them. */
  private readonly live = new RowList(this.rows, BEFORE, AFTER);
  private readonly past = new RowList(this.rows, BEFORE, AFTER);

  constructor(private readonly partition: Partition, private readonly most: number = MOST_KEYS) {}

  /** Memory of the rows, with names of usual length, and of the index. */
  get columnBytes(): number {
    return Math.ceil(this.rows.end / PAGE_ROWS) * this.rows.pageBytes + this.names.bytes;
  }

  /** A key whose time is over counts as forgotten, even if no commit has removed it yet. */
  find(name: string, nowMs: number): KeyEntry | undefined {
    const row = this.names.find(name);
    if (row < 0 || (this.isPast(row) && this.untilMs(row) < nowMs)) return undefined;
    return this.entryAt(row);
  }

  get isFull(): boolean {
    return this.live.size >= this.most;
  }

  /** @param fingerprint SHA-256, or empty */
  remember(name: string, jobId: JobId, fingerprint: Uint8Array): void {
    let row = this.names.find(name);
    if (row >= 0 && this.isPast(row)) {
      this.remove(row);
      row = -1;
    }
    if (row < 0) {
      row = this.rows.add();
      this.live.push(row);
      const long = this.names.name(row, name);
      if (long !== undefined) this.rows.setObject(row, { name: long });
    }
    this.write(row, jobId, fingerprint);
  }

  /** Its job has been taken back. @param fingerprint if the key was forgotten */
  revive(name: string, jobId: JobId, fingerprint: Uint8Array): void {
    const row = this.names.find(name);
    if (row < 0 || this.entryAt(row).jobId !== jobId) return this.remember(name, jobId, fingerprint);
    if (!this.isPast(row)) return;
    this.past.remove(row);
    this.live.push(row);
    const { u32, f64 } = this.rows.write(row);
    u32[wordAt(row, ROW_WORDS) + LOW]! &= ~IS_PAST;
    f64[wordAt(row, ROW_NUMBERS)] = 0;
  }

  retire(name: string, endedMs: number): void {
    const row = this.names.find(name);
    if (row >= 0 && !this.isPast(row)) this.moveToPast(row, endedMs + DEFAULTS.keyTtlMs);
  }

  /** The oldest are first, and the first that may stay ends the loop. */
  forget(nowMs: number): void {
    for (let row = this.past.oldest; row >= 0; row = this.past.oldest) {
      if (this.past.size <= this.most && this.untilMs(row) >= nowMs) return;
      this.remove(row);
    }
  }

  view(): { keys: [string, KeyEntry][]; pastKeys: [string, KeyEntry][] } {
    const entry = (row: number): [string, KeyEntry] => [this.names.nameOf(row), this.entryAt(row)];
    return { keys: [...this.live].map(entry), pastKeys: [...this.past].map(entry) };
  }

  /** Of a view, into keys that are empty. */
  restore({ keys, pastKeys }: ReturnType<Keys['view']>): void {
    for (const [name, { jobId, fingerprint, untilMs }] of [...keys, ...pastKeys]) {
      this.remember(name, jobId, Buffer.from(fingerprint, 'hex'));
      if (untilMs > 0) this.moveToPast(this.names.find(name), untilMs);
    }
  }

  /** The parts of its state, as it is now. */
  freeze(): Part[] {
    const head: Head = { live: this.live.head, past: this.past.head };
    return [listPart(HEAD, head), ...rowParts(ROWS, this.rows)];
  }

  /** Instead of all that is remembered. @throws RangeError if a part is missing or is that of other rows */
  thaw(parts: PartBytes): void {
    const { live, past } = listIn<Head>(parts, HEAD);
    restoreRows(this.rows, parts, ROWS);
    this.live.head = live;
    this.past.head = past;
    this.names.clear();
    for (const list of [this.live, this.past]) for (const row of list) this.names.index(row);
  }

  private write(row: number, jobId: JobId, fingerprint: Uint8Array): void {
    const { u32, bytes } = this.rows.write(row);
    const at = wordAt(row, ROW_WORDS);
    const isWhole = fingerprint.length === FINGERPRINT_BYTES;
    idWords(jobId, words);
    u32[at + HIGH] = words[0]!;
    u32[at + MIDDLE] = words[1]!;
    u32[at + LOW] = (u32[at + LOW]! & ~FLAGS) | words[2]! | (isWhole ? HAS_FINGERPRINT : 0);
    if (isWhole) bytes.set(fingerprint, (at + FINGERPRINT) * 4);
    else u32.fill(0, at + FINGERPRINT, at + HIGH);
    const beside = this.rows.object(row);
    const odd = isWhole || fingerprint.length === 0 ? undefined : Buffer.from(fingerprint).toString('hex');
    if (beside?.fingerprint === odd) return;
    const name = beside?.name;
    this.rows.setObject(row, name === undefined && odd === undefined ? undefined : { name, fingerprint: odd });
  }

  private moveToPast(row: number, untilMs: number): void {
    this.live.remove(row);
    this.past.push(row);
    const { u32, f64 } = this.rows.write(row);
    u32[wordAt(row, ROW_WORDS) + LOW]! |= IS_PAST;
    f64[wordAt(row, ROW_NUMBERS)] = untilMs;
  }

  private remove(row: number): void {
    this.past.remove(row);
    this.names.delete(row);
    this.rows.remove(row);
  }

  private isPast(row: number): boolean {
    return (this.rows.read(row).u32[wordAt(row, ROW_WORDS) + LOW]! & IS_PAST) !== 0;
  }

  private untilMs(row: number): number {
    return this.rows.read(row).f64[wordAt(row, ROW_NUMBERS)]!;
  }

  private entryAt(row: number): KeyEntry {
    const { u32, bytes } = this.rows.read(row);
    const at = wordAt(row, ROW_WORDS);
    const low = u32[at + LOW]!;
    const from = (at + FINGERPRINT) * 4;
    const whole = (low & HAS_FINGERPRINT) === 0 ? '' : bytes.toString('hex', from, from + FINGERPRINT_BYTES);
    const fingerprint = this.rows.object(row)?.fingerprint ?? whole;
    const jobId = jobIdOfWords(this.partition, u32[at + HIGH]!, u32[at + MIDDLE]!, low & LOW_ID);
    return { jobId, fingerprint, untilMs: this.untilMs(row) };
  }
}
