/** What was read last, up to a number of bytes. Two that want the same at the same time share one reading. */
interface Kept {
  readonly value: Promise<unknown>;
  bytes: number;
}

/** Some 30,000 small jobs. */
const MAX_BYTES = 32 * 1024 * 1024;

export class BlockCache {
  /** In order of last use. */
  private readonly kept = new Map<string, Kept>();
  private total = 0;

  constructor(private readonly maxBytes = MAX_BYTES) {}

  get bytes(): number {
    return this.total;
  }

  /** @param key of everything that is read in the same way @param sizeOf in bytes, approximately */
  async get<T>(key: string, load: () => Promise<T>, sizeOf: (value: T) => number): Promise<T> {
    const found = this.kept.get(key);
    if (found !== undefined) {
      this.kept.delete(key);
      this.kept.set(key, found);
      return await (found.value as Promise<T>);
    }
    const value = load();
    const kept: Kept = { value, bytes: 0 };
    this.kept.set(key, kept);
    try {
      const loaded = await value;
      this.grow(kept, sizeOf(loaded));
      return loaded;
    } catch (error) {
      this.kept.delete(key);
      throw error;
    }
  }

  private grow(kept: Kept, bytes: number): void {
    kept.bytes = bytes;
    this.total += bytes;
    for (const [oldest, each] of this.kept) {
      if (this.total <= this.maxBytes) return;
      // What is still being read has no size yet.
      if (each.bytes === 0) continue;
      this.kept.delete(oldest);
      this.total -= each.bytes;
    }
  }
}
