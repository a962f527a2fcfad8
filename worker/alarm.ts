/** One timer for many due times: it is set to the earliest, and the callback returns the next one. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

export class Alarm {
  private dueMs = Infinity;
  private timer: NodeJS.Timeout | undefined;

  /** @param ring does what is due, and returns the next due time; Infinity for none */
  constructor(
    private readonly ring: (nowMs: number) => number,
    private readonly now: () => number,
  ) {}

  /** Rings at `dueMs` at the latest. */
  by(dueMs: number): void {
    if (dueMs >= this.dueMs) return;
    this.dueMs = dueMs;
    this.set();
  }

  /** Rings now if it is overdue: after the process was suspended, messages may be handled before timers fire. */
  check(nowMs: number): void {
    if (nowMs < this.dueMs) return;
    this.stop();
    this.by(this.ring(nowMs));
  }

  stop(): void {
    clearTimeout(this.timer);
    this.dueMs = Infinity;
  }

  private set(): void {
    clearTimeout(this.timer);
    const waitMs = Math.min(Math.max(0, Math.ceil(this.dueMs - this.now())), LONGEST_WAIT_MS);
    this.timer = setTimeout(() => {
      const nowMs = this.now();
      // A timer may fire a little early.
      if (nowMs < this.dueMs) this.set();
      else this.check(nowMs);
    }, waitMs);
  }
}
