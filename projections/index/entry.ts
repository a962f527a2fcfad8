/**
 * An entry of the index of jobs: 24 bytes, the same in memory and on disk. An id ends in 80 random bits, in words of
 * 32, 32 and 16; a position is below 2^48, in 32 and 16. Entries of one job may lie in several places; combining them
 * in any order gives the same, because positions say which one is newer.
 */
import { idWords, type JobId } from '../../protocols/ids.js';

export const WORDS = 6;
export const ID_HIGH = 0;
export const ID_MIDDLE = 1;
/** The id's last 16 bits above, the status below. */
export const ID_LOW_STATUS = 2;
export const FIRST_LOW = 3;
export const LAST_LOW = 4;
/** The upper 16 bits of the first position above, those of the last position below. */
export const FIRST_HIGH_LAST_HIGH = 5;
export const HALF = 0xffff;

export interface Entry {
  /** Position of the commit in which the job began; 0 where only its end is known. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** From 1 to 65,535. Of two in one commit the higher one is the later. */
  readonly status: number;
}

/** The 80 bits of an id. */
export interface Key {
  high: number;
  middle: number;
  low: number;
}

const parsed = new Uint32Array(3);

/**
 * The bits that runs on disk are sorted by: 30 of the first six characters and 30 of the next six, each followed by two
 * of the last 20, of which 16 remain.
 * @param id of a job
 */
export function parseKey(id: string, into: Key): Key {
  idWords(id as JobId, parsed);
  const [first, second] = [parsed[0]!, parsed[1]!];
  into.high = ((first & ~3) | ((second >>> 2) & 3)) >>> 0;
  into.middle = (((first & 3) << 30) | ((second >>> 4) << 2) | (second & 3)) >>> 0;
  into.low = parsed[2]!;
  return into;
}

export function entryAt(words: Uint32Array, at: number): Entry {
  const highs = words[at + FIRST_HIGH_LAST_HIGH]!;
  return {
    firstSeq: (highs >>> 16) * 2 ** 32 + words[at + FIRST_LOW]!,
    lastSeq: (highs & HALF) * 2 ** 32 + words[at + LAST_LOW]!,
    status: words[at + ID_LOW_STATUS]! & HALF,
  };
}

const isLater = (a: Entry, b: Entry): boolean =>
  a.lastSeq > b.lastSeq || (a.lastSeq === b.lastSeq && a.status > b.status);

export function combined(a: Entry | undefined, b: Entry | undefined): Entry | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const { lastSeq, status } = isLater(a, b) ? a : b;
  return { firstSeq: Math.max(a.firstSeq, b.firstSeq), lastSeq, status };
}

/** Combines an entry into another one of the same job. */
export function combineInto(into: Uint32Array, intoAt: number, from: Uint32Array, at: number): void {
  const { firstSeq, lastSeq, status } = combined(entryAt(into, intoAt), entryAt(from, at))!;
  into[intoAt + ID_LOW_STATUS] = (into[intoAt + ID_LOW_STATUS]! & ~HALF) | status;
  into[intoAt + FIRST_LOW] = firstSeq;
  into[intoAt + LAST_LOW] = lastSeq;
  into[intoAt + FIRST_HIGH_LAST_HIGH] = (Math.floor(firstSeq / 2 ** 32) << 16) | Math.floor(lastSeq / 2 ** 32);
}

/** By id: negative, 0 or positive. */
export function compareIds(a: Uint32Array, atA: number, b: Uint32Array, atB: number): number {
  return a[atA]! - b[atB]! || a[atA + ID_MIDDLE]! - b[atB + ID_MIDDLE]!
    || (a[atA + ID_LOW_STATUS]! >>> 16) - (b[atB + ID_LOW_STATUS]! >>> 16);
}

export const compareToKey = (words: Uint32Array, at: number, { high, middle, low }: Key): number =>
  words[at]! - high || words[at + ID_MIDDLE]! - middle || (words[at + ID_LOW_STATUS]! >>> 16) - low;
