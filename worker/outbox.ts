/**
 * Finished attempts of one partition, kept until a reply to a request that carried them arrives. A request that is not
 * answered gives them back, to be sent again: the leader answers the same report the same way.
 */
import type { Report } from './performer/outcome.js';

/** What a report takes on the wire besides its result: token, failure, field numbers. At most about this. */
const REPORT_BYTES = 256;

export class Outbox {
  #waiting: Report[] = [];
  readonly #sent = new Map<number, Report[]>();

  /** Reports that are in no request now. */
  get waiting(): number {
    return this.#waiting.length;
  }

  get isEmpty(): boolean {
    return this.#waiting.length === 0 && this.#sent.size === 0;
  }

  add(report: Report): void {
    this.#waiting.push(report);
  }

  /** Takes the oldest reports along with a request; at least one, if there is one. */
  take(request: number, maxReports: number, maxBytes: number): Report[] {
    if (this.#waiting.length === 0) return [];
    let count = 0;
    for (let bytes = 0; count < this.#waiting.length && count < maxReports; count += 1) {
      bytes += sizeOf(this.#waiting[count]!);
      if (bytes > maxBytes && count > 0) break;
    }
    const taken = count === this.#waiting.length ? this.#waiting : this.#waiting.slice(0, count);
    this.#waiting = count === this.#waiting.length ? [] : this.#waiting.slice(count);
    this.#sent.set(request, taken);
    return taken;
  }

  /** The request was answered. Returns what it carried; nothing if it had been given up. */
  answered(request: number): readonly Report[] {
    const reports = this.#sent.get(request) ?? [];
    this.#sent.delete(request);
    return reports;
  }

  sentWith(request: number): readonly Report[] {
    return this.#sent.get(request) ?? [];
  }

  /** Nobody knows whether the request arrived. */
  lost(request: number): void {
    const reports = this.#sent.get(request);
    if (reports === undefined) return;
    this.#sent.delete(request);
    this.#waiting = [...reports, ...this.#waiting];
  }

  /** The connection or the leader is another one: everything under way may be lost. */
  allLost(): void {
    for (const request of [...this.#sent.keys()].reverse()) this.lost(request);
  }

  /** The lease came once more, so the report that was sent for it has not been heard. */
  resend(token: string): boolean {
    for (const [request, reports] of this.#sent) {
      if (!reports.some((report) => report.token === token)) continue;
      this.lost(request);
      return true;
    }
    return this.#waiting.some((report) => report.token === token);
  }

  /** Nobody wants to hear of the attempt any more. */
  drop(token: string): void {
    this.#waiting = this.#waiting.filter((report) => report.token !== token);
    for (const [request, reports] of this.#sent) {
      if (reports.some((report) => report.token === token)) {
        this.#sent.set(request, reports.filter((report) => report.token !== token));
      }
    }
  }
}

function sizeOf(report: Report): number {
  const { result, failure } = report;
  // Failures are counted at 3 bytes a character, the most that UTF-8 needs per UTF-16 unit.
  const told = failure ? 3 * ((failure.message?.length ?? 0) + (failure.stack?.length ?? 0)) : 0;
  return REPORT_BYTES + (result?.length ?? 0) + told;
}
