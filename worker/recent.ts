/** Remembers a number for the last tokens that were added: between `size` and twice that many. */
export class Recent {
  private young = new Map<string, number>();
  private old = new Map<string, number>();

  constructor(private readonly size: number) {}

  add(token: string, value: number): void {
    if (this.young.size >= this.size) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(token, value);
  }

  get(token: string): number | undefined {
    return this.young.get(token) ?? this.old.get(token);
  }
}
