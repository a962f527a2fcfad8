export interface ReadonlyHeap<T> {
  readonly size: number;
  peek(): T | undefined;
  [Symbol.iterator](): Iterator<T>;
}

/** A binary heap, ordered by `before`. Pushing an item that belongs last, the usual case, takes one comparison. */
export class Heap<T> implements ReadonlyHeap<T> {
  private readonly items: T[] = [];

  constructor(private readonly before: (a: T, b: T) => boolean) {}

  get size(): number {
    return this.items.length;
  }

  peek(): T | undefined {
    return this.items[0];
  }

  /** In no particular order. */
  [Symbol.iterator](): Iterator<T> {
    return this.items.values();
  }

  push(item: T): void {
    this.items.push(item);
    this.rise(this.items.length - 1);
  }

  pop(): T | undefined {
    const first = this.items[0];
    const last = this.items.pop();
    if (this.items.length > 0 && last !== undefined) {
      this.items[0] = last;
      this.sink(0);
    }
    return first;
  }

  /** Fast for the first item and those pushed last; otherwise linear in the size of the heap. */
  remove(item: T): boolean {
    if (this.items[0] === item) {
      this.pop();
      return true;
    }
    const at = this.items.lastIndexOf(item);
    if (at < 0) return false;
    const last = this.items.pop()!;
    if (at < this.items.length) {
      this.items[at] = last;
      this.rise(at);
      this.sink(at);
    }
    return true;
  }

  private rise(at: number): void {
    const { items } = this;
    const item = items[at]!;
    let hole = at;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!this.before(item, items[parent]!)) break;
      items[hole] = items[parent]!;
      hole = parent;
    }
    items[hole] = item;
  }

  private sink(at: number): void {
    const { items } = this;
    const item = items[at]!;
    const { length } = items;
    let hole = at;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= length) break;
      if (child + 1 < length && this.before(items[child + 1]!, items[child]!)) child += 1;
      if (!this.before(items[child]!, item)) break;
      items[hole] = items[child]!;
      hole = child;
    }
    items[hole] = item;
  }
}
