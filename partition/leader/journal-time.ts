/**
 * The time that a leader gives its commits: the time of the journal's last commit, plus the monotonic time since then.
 * The time of commits never goes back. If a wall clock that jumped ahead were followed, all timers up to that time
 * would fire at once, and none after them until the true time has caught up. Pure. See docs/adr/0014.
 */

/** A wall clock that is ahead by at most this is followed at once. Clocks set by NTP differ by less. */
export const FOLLOWED_MS = 10_000;
/** A wall clock that is further ahead is followed after this time, if the server's clock agrees. */
export const BELIEVED_AFTER_MS = 600_000;
/** By which fraction this time runs slower while the wall clock is behind it. */
const SLOWER = 0.01;

export class JournalTime {
  private atMs: number;
  private readMonoMs: number;
  private sinceMonoMs: number | undefined;
  /** How far the wall clock was ahead of this time at the last reading; negative if it was behind. */
  apartMs = 0;

  /** @param headMs time of the journal's last commit @param monoMs the monotonic clock now */
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

  /** Whether the wall clock has been ahead for so long that it should be compared with the server's. */
  isToBeChecked(monoMs: number): boolean {
    return this.sinceMonoMs !== undefined && monoMs - this.sinceMonoMs >= BELIEVED_AFTER_MS;
  }

  /** The result of that comparison. @param serverMs the server's clock; undefined if it did not reply */
  checked(serverMs: number | undefined, wallMs: number, monoMs: number): void {
    this.read(wallMs, monoMs);
    this.sinceMonoMs = this.sinceMonoMs === undefined ? undefined : monoMs;
    if (serverMs !== undefined && Math.abs(serverMs - wallMs) <= FOLLOWED_MS) this.atMs = Math.max(this.atMs, wallMs);
  }
}
