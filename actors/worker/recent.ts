/** Remembers the last tokens that were added: between `size` and twice that many. */
export class Recent {
  readonly #size: number;
  #young = new Set<string>();
  #old = new Set<string>();

  constructor(size: number) {
    this.#size = size;
  }

  add(token: string): void {
    if (this.#young.size >= this.#size) {
      this.#old = this.#young;
      this.#young = new Set();
    }
    this.#young.add(token);
  }

  has(token: string): boolean {
    return this.#young.has(token) || this.#old.has(token);
  }
}
