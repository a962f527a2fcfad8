/**
 * Reports on finished attempts of one partition, kept until a request that carried them is answered. The reports of a
 * request without a reply are sent again, which is safe: the leader's reply to a repeated report is the same.
 */
import type { AttemptReport } from './performer/outcome.js';

/** About the most that a report takes on the wire besides its result and failure: token, field numbers. */
const REPORT_BYTES = 256;

export class PendingReports {
  private queue: AttemptReport[] = [];
  private readonly sent = new Map<number, AttemptReport[]>();

  /** How many reports are in no open request. */
  get waiting(): number {
    return this.queue.length;
  }

  get isEmpty(): boolean {
    return this.queue.length === 0 && this.sent.size === 0;
  }

  add(report: AttemptReport): void {
    this.queue.push(report);
  }

  /** Moves the oldest reports into a request; at least one, if there is any. */
  take(request: number, maxReports: number, maxBytes: number): AttemptReport[] {
    if (this.queue.length === 0) return [];
    let count = 0;
    for (let bytes = 0; count < this.queue.length && count < maxReports; count += 1) {
      bytes += sizeOf(this.queue[count]!);
      if (bytes > maxBytes && count > 0) break;
    }
    const taken = count === this.queue.length ? this.queue : this.queue.slice(0, count);
    this.queue = count === this.queue.length ? [] : this.queue.slice(count);
    this.sent.set(request, taken);
    return taken;
  }

  /** @returns the reports of a request that was answered; none if it had been given up as lost */
  answered(request: number): readonly AttemptReport[] {
    const reports = this.sent.get(request) ?? [];
    this.sent.delete(request);
    return reports;
  }

  sentWith(request: number): readonly AttemptReport[] {
    return this.sent.get(request) ?? [];
  }

  /** No reply came: the request may or may not have arrived. */
  lost(request: number): void {
    const reports = this.sent.get(request);
    if (reports === undefined) return;
    this.sent.delete(request);
    this.queue = [...reports, ...this.queue];
  }

  /** The connection or the leader has changed: every open request may be lost. */
  allLost(): void {
    for (const request of [...this.sent.keys()].reverse()) this.lost(request);
  }

  /** The lease was delivered again, so its report did not arrive. @returns whether there is a report to send */
  resend(token: string): boolean {
    for (const [request, reports] of this.sent) {
      if (!reports.some((report) => report.token === token)) continue;
      this.lost(request);
      return true;
    }
    return this.queue.some((report) => report.token === token);
  }

  /** The attempt no longer counts. */
  drop(token: string): void {
    this.queue = this.queue.filter((report) => report.token !== token);
    for (const [request, reports] of this.sent) {
      if (reports.some((report) => report.token === token)) {
        this.sent.set(request, reports.filter((report) => report.token !== token));
      }
    }
  }
}

function sizeOf(report: AttemptReport): number {
  const { result, failure } = report;
  // Failures are counted at 3 bytes a character, the most that UTF-8 needs per UTF-16 unit.
  const failureBytes = failure ? 3 * ((failure.message?.length ?? 0) + (failure.stack?.length ?? 0)) : 0;
  return REPORT_BYTES + (result?.length ?? 0) + failureBytes;
}
