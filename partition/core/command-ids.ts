/**
 * The commands of the last ten minutes by their ids, so that a repeated command is recognized: columns of bytes in a
 * ring, oldest first, and a Map from id to position. What is forgotten depends only on the journal, so every replay
 * forgets the same. Clients choose the ids, so its hash function must resist collisions: that of a Map is keyed.
 */
import { listIn, listPart, type Part, type PartBytes } from '../../actors/parts.js';
import type { CommandEntry } from '../../actors/step.js';
import { isJobIdOf, jobId, writeRandomOf, type Partition } from '../../protocols/ids.js';

/** Limits of what is remembered. The first that is reached counts. */
export const COMMANDS = {
  ms: 600_000,
  /** Below 2^20 by more than the events of a commit, so that the columns stay at that size. */
  most: 1_000_000,
  /** Of all ids together: a million of 32 characters, or fewer longer ones. */
  characters: 1 << 25,
} as const;

const FIRST_CAPACITY = 1 << 10;
const ID_BYTES = 10;
const FINGERPRINT_BYTES = 32;

export class CommandIds {
  size = 0;
  /** When the newest command was accepted that was forgotten before its ten minutes were over; 0: none. */
  private forgottenMs = 0;
  private capacity = FIRST_CAPACITY;
  private oldest = 0;
  private characters = 0;
  private names: string[] = [];
  private readonly types: string[] = [];
  private typeOf = new Uint8Array(FIRST_CAPACITY);
  private hasFingerprint = new Uint8Array(FIRST_CAPACITY);
  private ids = new Uint8Array(FIRST_CAPACITY * ID_BYTES);
  /** Ids of actors that are no jobs of this partition, by their command's id. */
  private readonly otherIds = new Map<string, string>();
  private fingerprints = new Uint8Array(FIRST_CAPACITY * FINGERPRINT_BYTES);
  private atMs = new Float64Array(FIRST_CAPACITY);
  private readonly places = new Map<string, number>();

  constructor(
    private readonly partition: Partition,
    private readonly most: number = COMMANDS.most,
  ) {}

  /** Memory of the columns. */
  get columnBytes(): number {
    const { typeOf, hasFingerprint, ids, fingerprints, atMs } = this;
    return [typeOf, hasFingerprint, ids, fingerprints, atMs].reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  has(name: string): boolean {
    return this.places.has(name);
  }

  get(name: string): CommandEntry | undefined {
    const place = this.places.get(name);
    return place === undefined ? undefined : this.entryAt(place);
  }

  /** Adds a command that is not known yet. @param fingerprint of 32 bytes, or none */
  add(name: string, type: string, id: string, fingerprint: Uint8Array | undefined, atMs: number): void {
    if (this.size === this.capacity) this.grow();
    const at = (this.oldest + this.size) & (this.capacity - 1);
    this.names[at] = name;
    this.typeOf[at] = this.numberOf(type);
    this.atMs[at] = atMs;
    if (isJobIdOf(this.partition, id)) writeRandomOf(id, this.ids, at * ID_BYTES);
    else this.otherIds.set(name, id);
    this.hasFingerprint[at] = fingerprint?.length === FINGERPRINT_BYTES ? 1 : 0;
    if (fingerprint?.length === FINGERPRINT_BYTES) this.fingerprints.set(fingerprint, at * FINGERPRINT_BYTES);
    this.places.set(name, at);
    this.characters += name.length;
    this.size += 1;
  }

  /** Removes commands that are too old, and the oldest while there are too many. */
  forget(nowMs: number): void {
    while (this.size > 0) {
      const atMs = this.atMs[this.oldest]!;
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
      const at = (this.oldest + nth) & (this.capacity - 1);
      yield [this.names[at]!, this.entryAt(at)];
    }
  }

  freeze(): Part[] {
    return [listPart('list', { list: [...this], forgottenMs: this.forgottenMs })];
  }

  thaw(parts: PartBytes): void {
    const { list, forgottenMs } = listIn<{ list: [string, CommandEntry][]; forgottenMs: number }>(parts, 'list');
    for (const [name, { type, id, fingerprint, atMs }] of list) {
      this.add(name, type, id, Buffer.from(fingerprint, 'hex'), atMs);
    }
    this.forgottenMs = forgottenMs;
  }

  private entryAt(at: number): CommandEntry {
    const fingerprint = this.hasFingerprint[at] === 0 ? '' : this.fingerprintAt(at);
    const id = this.otherIds.get(this.names[at]!) ?? jobId(this.partition, this.ids, at * ID_BYTES);
    return { type: this.types[this.typeOf[at]!]!, id, fingerprint, atMs: this.atMs[at]! };
  }

  private fingerprintAt(at: number): string {
    return Buffer.from(this.fingerprints.buffer, at * FINGERPRINT_BYTES, FINGERPRINT_BYTES).toString('hex');
  }

  /** There are few types of commands. */
  private numberOf(type: string): number {
    const known = this.types.indexOf(type);
    return known >= 0 ? known : this.types.push(type) - 1;
  }

  private dropOldest(): void {
    const at = this.oldest;
    const name = this.names[at]!;
    this.places.delete(name);
    if (this.otherIds.size > 0) this.otherIds.delete(name);
    this.characters -= name.length;
    this.names[at] = '';
    this.oldest = (at + 1) & (this.capacity - 1);
    this.size -= 1;
  }

  /** Twice as large, with the oldest at the beginning. */
  private grow(): void {
    const { capacity, oldest } = this;
    const size = 2 * capacity;
    const fingerprints = new Uint8Array(size * FINGERPRINT_BYTES);
    this.names = [...this.names.slice(oldest), ...this.names.slice(0, oldest)];
    this.typeOf = unrolled(this.typeOf, new Uint8Array(size), oldest);
    this.hasFingerprint = unrolled(this.hasFingerprint, new Uint8Array(size), oldest);
    this.ids = unrolled(this.ids, new Uint8Array(size * ID_BYTES), oldest * ID_BYTES);
    this.fingerprints = unrolled(this.fingerprints, fingerprints, oldest * FINGERPRINT_BYTES);
    this.atMs = unrolled(this.atMs, new Float64Array(size), oldest);
    this.oldest = 0;
    this.capacity = size;
    for (let at = 0; at < this.size; at += 1) this.places.set(this.names[at]!, at);
  }
}

interface Column<Self> {
  readonly length: number;
  set(from: Self, at?: number): void;
  subarray(from: number, to?: number): Self;
}

/** @param at position of the oldest, which is the first in the new column */
function unrolled<Of extends Column<Of>>(from: Of, to: Of, at: number): Of {
  const rest = from.subarray(at);
  to.set(rest);
  to.set(from.subarray(0, at), rest.length);
  return to;
}
