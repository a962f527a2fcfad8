/** How long to wait before a process that died is started again. Pure. */
const FIRST_MS = 100;
const LAST_MS = 5_000;
/** A process that ran for so long begins again with the shortest wait. */
const SETTLED_MS = 10_000;

export class Backoff {
  private nextMs = FIRST_MS;

  /** @param livedMs how long the process ran before it died */
  after(livedMs: number): number {
    if (livedMs >= SETTLED_MS) this.nextMs = FIRST_MS;
    const waitMs = this.nextMs;
    this.nextMs = Math.min(LAST_MS, waitMs * 2);
    return waitMs;
  }
}
