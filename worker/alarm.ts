/** One timer for many due times: set to the earliest, and asked for the next one whenever it rings. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

export class Alarm {
  readonly #ring: (nowMs: number) => number;
  readonly #now: () => number;
  #dueMs = Infinity;
  #timer: NodeJS.Timeout | undefined;

  /** @param ring does what is due and returns when it wants to be rung next; Infinity for never */
  constructor(ring: (nowMs: number) => number, now: () => number) {
    this.#ring = ring;
    this.#now = now;
  }

  /** Rings at `dueMs` at the latest. */
  by(dueMs: number): void {
    if (dueMs >= this.#dueMs) return;
    this.#dueMs = dueMs;
    this.#set();
  }

  /** Rings now if it is overdue: after the process was stopped for a while, work may come in before timers do. */
  check(nowMs: number): void {
    if (nowMs < this.#dueMs) return;
    this.stop();
    this.by(this.#ring(nowMs));
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#dueMs = Infinity;
  }

  #set(): void {
    clearTimeout(this.#timer);
    const waitMs = Math.min(Math.max(0, Math.ceil(this.#dueMs - this.#now())), LONGEST_WAIT_MS);
    this.#timer = setTimeout(() => {
      const nowMs = this.#now();
      // A timer may fire a little early.
      if (nowMs < this.#dueMs) this.#set();
      else this.check(nowMs);
    }, waitMs);
  }
}
