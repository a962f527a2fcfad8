/** Turns of the queues of a worker that serves several with weights: each lease moves its queue on by 1 / weight. */
export class Turns {
  private readonly passes = new Map<string, number>();
  private least = 0;

  constructor(private readonly weights: ReadonlyMap<string, number>) {}

  /** The queue with the lowest is next. One that had nothing for a while does not get all its turns at once. */
  readonly of = (queue: string): number => Math.max(this.passes.get(queue) ?? 0, this.least);

  take(queue: string): void {
    this.least = this.of(queue);
    this.passes.set(queue, this.least + 1 / (this.weights.get(queue) ?? 1));
  }
}
