/**
 * From the id of a job to its row: a hash table with open addressing. Leaders draw the ids, so nobody chooses
 * collisions.
 */
import { idWords, type JobId } from '../../protocols/ids.js';
import type { JobTable } from './job-row.js';

const FIRST_CAPACITY = 1 << 10;
const FULLEST = 0.6;
const words = new Uint32Array(3);

export class IdTable {
  size = 0;
  /** Row plus one; 0 is free. */
  private slots = new Uint32Array(FIRST_CAPACITY);

  constructor(private readonly table: JobTable) {}

  /** @returns -1 if there is none */
  find(id: JobId): number {
    idWords(id, words);
    const [high, middle, low] = words as unknown as [number, number, number];
    const mask = this.slots.length - 1;
    for (let at = high & mask; ; at = (at + 1) & mask) {
      const row = this.slots[at]! - 1;
      if (row < 0 || this.table.hasId(row, high, middle, low)) return row;
    }
  }

  add(row: number): void {
    if (this.size + 1 > this.slots.length * FULLEST) this.grow();
    this.put(row);
    this.size += 1;
  }

  /** Before the row is removed. What was moved past the slot by others moves back, so that it is found. */
  delete(row: number): void {
    const { slots } = this;
    const mask = slots.length - 1;
    let hole = this.table.highOf(row) & mask;
    while (slots[hole] !== row + 1) hole = (hole + 1) & mask;
    for (let at = (hole + 1) & mask; slots[at] !== 0; at = (at + 1) & mask) {
      const home = this.table.highOf(slots[at]! - 1) & mask;
      if (((at - home) & mask) < ((at - hole) & mask)) continue;
      slots[hole] = slots[at]!;
      hole = at;
    }
    slots[hole] = 0;
    this.size -= 1;
  }

  /** Makes room for so many before they are added. */
  reserve(size: number): void {
    while (size > this.slots.length * FULLEST) this.grow();
  }

  private put(row: number): void {
    const mask = this.slots.length - 1;
    let at = this.table.highOf(row) & mask;
    while (this.slots[at] !== 0) at = (at + 1) & mask;
    this.slots[at] = row + 1;
  }

  private grow(): void {
    const old = this.slots;
    this.slots = new Uint32Array(old.length * 2);
    for (const slot of old) if (slot !== 0) this.put(slot - 1);
  }
}
