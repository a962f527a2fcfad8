/** The time that a leader decides by: the journal's, compared with the wall clock and, in doubt, the server's clock. */
import type { Moment } from '../../actors/step.js';
import type { Head } from '../../streams/chain.js';
import type { Journal } from '../../streams/journal.js';
import { JournalTime } from './journal-time.js';

export interface Clock {
  /** Unix milliseconds. */
  nowMs(): number;
  /** Monotonic milliseconds. */
  monoMs(): number;
  /** From [0, 1). */
  draw(): number;
}

export interface LeaderTimeOptions {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly head: Head;
  /** The wall clock and the journal's time differ by so many milliseconds; 0: no more than 10 s again. */
  onApart(apartMs: number): void;
}

export class LeaderTime {
  private readonly time: JournalTime;
  private isApart = false;
  private isChecking = false;

  constructor(private readonly options: LeaderTimeOptions) {
    this.time = new JournalTime(options.head.nowMs, options.clock.monoMs());
  }

  moment(): Moment {
    const { clock } = this.options;
    const monoMs = clock.monoMs();
    return { nowMs: this.time.read(clock.nowMs(), monoMs), monoMs, draw: clock.draw() };
  }

  /** To be called regularly: reports when the clocks begin or cease to differ, and checks a lasting difference. */
  look(): void {
    const { time } = this;
    if (time.isApart !== this.isApart) {
      this.isApart = time.isApart;
      this.options.onApart(time.isApart ? time.apartMs : 0);
    }
    if (time.isToBeChecked(this.options.clock.monoMs()) && !this.isChecking) void this.check();
  }

  /** The server's clock decides. */
  private async check(): Promise<void> {
    const { clock, journal } = this.options;
    this.isChecking = true;
    const serverMs = await journal.end().then((end) => end.serverMs, () => undefined);
    this.time.checked(serverMs, clock.nowMs(), clock.monoMs());
    this.isChecking = false;
  }
}
