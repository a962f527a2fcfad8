/**
 * The lease on leading a partition. It only says who should try, so that brokers do not depose each other all the
 * time: the journal's fence decides. Pure; `leader-lease.ts` brings the stream.
 *
 * Times are of the own monotonic clock. Clocks of different machines are never compared: who wants to steal watches
 * the entry's revision stand still for a whole TTL of its own.
 */
export interface LeaseTerms {
  readonly ttlMs: number;
  /** Taken off the holder's own validity, for a clock that runs slow and a thread that sleeps. */
  readonly marginMs: number;
}

/** The entry as it was read; undefined when it is missing or deleted. */
export interface Entry {
  readonly revision: number;
  readonly holder: string;
}

export type Decision =
  /** Nobody holds it. */
  | { readonly kind: 'create' }
  /** It is ours, or stood still for long enough: replace this very revision. */
  | { readonly kind: 'replace'; readonly revision: number }
  | { readonly kind: 'wait'; readonly holder: string; readonly ms: number };

export class LeaseWatch {
  readonly #terms: LeaseTerms;
  readonly #self: string;
  #seen: { readonly revision: number; readonly sinceMs: number } | undefined;
  #held: { readonly revision: number; readonly sentMs: number } | undefined;

  constructor(self: string, terms: LeaseTerms) {
    this.#self = self;
    this.#terms = terms;
  }

  /** What to do about an entry that was read at `nowMs`. */
  decide(entry: Entry | undefined, nowMs: number): Decision {
    if (entry === undefined) {
      this.#seen = undefined;
      return { kind: 'create' };
    }
    if (entry.holder === this.#self) return { kind: 'replace', revision: entry.revision };
    if (this.#seen?.revision !== entry.revision) this.#seen = { revision: entry.revision, sinceMs: nowMs };
    const ms = this.#seen.sinceMs + this.#terms.ttlMs - nowMs;
    return ms <= 0 ? { kind: 'replace', revision: entry.revision } : { kind: 'wait', holder: entry.holder, ms };
  }

  /** The server took our write. It counts from when it was sent: it may have been taken at once and told late. */
  won(revision: number, sentMs: number): void {
    this.#seen = undefined;
    this.#held = { revision, sentMs };
  }

  lost(): void {
    this.#held = undefined;
  }

  get revision(): number | undefined {
    return this.#held?.revision;
  }

  /** For how much longer nobody else can have stolen it; 0 when it is not ours. */
  validForMs(nowMs: number): number {
    return this.#held ? Math.max(0, this.#held.sentMs + this.#terms.ttlMs - this.#terms.marginMs - nowMs) : 0;
  }
}
