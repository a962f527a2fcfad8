/** Values by their texts, as many as fit. The oldest are forgotten first. */
export class TextCache<V> {
  private readonly values = new Map<string, V>();
  private units = 0;

  /** @param mostUnits of all texts together, in UTF-16 units: strangers choose how long they are */
  constructor(
    private readonly most: number,
    private readonly mostUnits: number,
  ) {}

  get(text: string): V | undefined {
    return this.values.get(text);
  }

  set(text: string, value: V): void {
    if (!this.values.has(text)) this.units += text.length;
    this.values.set(text, value);
    for (const oldest of this.values.keys()) {
      if (this.values.size <= this.most && this.units <= this.mostUnits) return;
      this.values.delete(oldest);
      this.units -= oldest.length;
    }
  }
}
