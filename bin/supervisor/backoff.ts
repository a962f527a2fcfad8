/** How long to wait before something that died is started again. Pure. */
const FIRST_MS = 100;
const LAST_MS = 5_000;
/** Who has lived for so long starts over with the shortest wait. */
const SETTLED_MS = 10_000;

export class Backoff {
  #nextMs = FIRST_MS;

  /** @param livedMs how long it had lived when it died */
  after(livedMs: number): number {
    if (livedMs >= SETTLED_MS) this.#nextMs = FIRST_MS;
    const waitMs = this.#nextMs;
    this.#nextMs = Math.min(LAST_MS, waitMs * 2);
    return waitMs;
  }
}
