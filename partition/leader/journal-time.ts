/**
 * The time of a leadership: where its journal stood, and the monotonic clock from there. Commits never go back in time,
 * so a wall clock that leapt ahead must not be followed at once: everything due until then would come due, and nothing
 * more until the true time is there. Pure. The rule and its reasons: docs/adr/0014.
 */

/** Differences up to this are followed at once. Clocks that are kept by NTP are apart by less, suspended machines by more. */
export const FOLLOWED_MS = 10_000;
/** A larger difference is believed when it has lasted for so long and the server says the same. */
export const BELIEVED_AFTER_MS = 600_000;
/** How much slower time goes while the wall clock is behind it. */
const SLOWER = 0.01;

export class JournalTime {
  private atMs: number;
  private readMonoMs: number;
  private sinceMonoMs: number | undefined;
  /** How far the wall clock was ahead of this time when it was read last; negative: behind. */
  apartMs = 0;

  /** @param headMs time of the journal's last commit, at `monoMs` */
  constructor(headMs: number, monoMs: number) {
    this.atMs = headMs;
    this.readMonoMs = monoMs;
  }

  /** @returns Unix milliseconds, never less than before */
  read(wallMs: number, monoMs: number): number {
    const passedMs = Math.max(0, monoMs - this.readMonoMs);
    const expectedMs = this.atMs + passedMs;
    this.readMonoMs = monoMs;
    this.apartMs = wallMs - expectedMs;
    if (this.apartMs > FOLLOWED_MS) {
      this.sinceMonoMs ??= monoMs;
      this.atMs = expectedMs;
    } else {
      this.sinceMonoMs = undefined;
      this.atMs = Math.max(wallMs, this.atMs + passedMs * (1 - SLOWER));
    }
    return Math.floor(this.atMs);
  }

  get isApart(): boolean {
    return Math.abs(this.apartMs) > FOLLOWED_MS;
  }

  /** Whether the wall clock has been ahead for so long that the server should be asked about it. */
  isToBeChecked(monoMs: number): boolean {
    return this.sinceMonoMs !== undefined && monoMs - this.sinceMonoMs >= BELIEVED_AFTER_MS;
  }

  /** What came of asking. @param serverMs undefined when it did not answer */
  checked(serverMs: number | undefined, wallMs: number, monoMs: number): void {
    this.read(wallMs, monoMs);
    this.sinceMonoMs = this.sinceMonoMs === undefined ? undefined : monoMs;
    if (serverMs !== undefined && Math.abs(serverMs - wallMs) <= FOLLOWED_MS) this.atMs = Math.max(this.atMs, wallMs);
  }
}
