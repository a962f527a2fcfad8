/** Remembers a number for the last tokens that were added: between `size` and twice that many. */
export class Recent {
  readonly #size: number;
  #young = new Map<string, number>();
  #old = new Map<string, number>();

  constructor(size: number) {
    this.#size = size;
  }

  add(token: string, value: number): void {
    if (this.#young.size >= this.#size) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(token, value);
  }

  get(token: string): number | undefined {
    return this.#young.get(token) ?? this.#old.get(token);
  }
}
