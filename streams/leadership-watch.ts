/**
 * When a broker may take the leadership of a partition, and for how long it then holds it. Leadership is for liveness
 * only: it keeps brokers from deposing each other all the time. Safety comes from the journal's fence. Pure;
 * `leadership.ts` reads and writes the stream.
 *
 * All times are of this process's monotonic clock. Clocks of different machines are never compared: a broker takes
 * the leadership from another one after it has seen the same revision of the claim for a whole TTL by its own clock.
 */
export interface LeadershipTerms {
  readonly ttlMs: number;
  /** Taken off the holder's own validity, for a clock that runs slow and a thread that sleeps. */
  readonly marginMs: number;
}

/** The newest claim as it was read; undefined when there is none or its holder released it. */
export interface Claim {
  readonly revision: number;
  readonly holder: string;
}

export class LeadershipWatch {
  private seen: { readonly revision: number; readonly sinceMs: number } | undefined;
  private heldSinceMs: number | undefined;

  /** @param self this broker, as `Claim.holder` names it */
  constructor(
    private readonly self: string,
    private readonly terms: LeadershipTerms,
  ) {}

  /** Whether the leadership is free, ours already, or was not renewed for a TTL. @param nowMs when `claim` was read */
  mayTake(claim: Claim | undefined, nowMs: number): boolean {
    if (claim === undefined) {
      this.seen = undefined;
      return true;
    }
    if (claim.holder === this.self) return true;
    if (this.seen?.revision !== claim.revision) this.seen = { revision: claim.revision, sinceMs: nowMs };
    return nowMs >= this.seen.sinceMs + this.terms.ttlMs;
  }

  /** The server stored our claim. It counts from when it was sent, because the reply may have been delayed. */
  won(sentMs: number): void {
    this.seen = undefined;
    this.heldSinceMs = sentMs;
  }

  lost(): void {
    this.heldSinceMs = undefined;
  }

  /** Whether the last attempt to take or renew it succeeded. It may have run out since: see {@link validForMs}. */
  get isHeld(): boolean {
    return this.heldSinceMs !== undefined;
  }

  /** For how much longer no other broker can have taken it; 0 when it is not ours. */
  validForMs(nowMs: number): number {
    if (this.heldSinceMs === undefined) return 0;
    return Math.max(0, this.heldSinceMs + this.terms.ttlMs - this.terms.marginMs - nowMs);
  }
}
