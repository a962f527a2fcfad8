/** The worker's state for one partition: the leader's epoch, the open pull, leases held, reports to send. */
import type { Partition } from '../protocols/ids.js';
import type { Slot } from './performer/perform.js';
import { PendingReports } from './pending-reports.js';

const FIRST_BACKOFF_MS = 50;
const LAST_BACKOFF_MS = 1_000;

export class Link {
  readonly pending = new PendingReports();
  /** By token: the attempts that run and whose reports the leader still accepts. */
  readonly held = new Map<string, Slot>();
  pullSeq = 0;
  /** Numbers the requests that carry reports, pulls or not, for the pending reports. */
  requests = 0;
  epoch = 0;
  open: { readonly seq: number; free: number } | undefined;
  /** The last pull returned as many leases as it had offered slots. */
  hungry = false;
  /** The last pull that was superseded, until it or its successor is answered. Meanwhile reports are batched. */
  superseded: { readonly seq: number; readonly untilMs: number } | undefined;
  /** When a request was last sent. */
  sentMs = -Infinity;
  /** No request is sent before this time. */
  readyMs = -Infinity;
  /** A request was refused, perhaps because of a report in it: every waiting report is sent in a separate request. */
  isolating = false;
  private backoffMs = FIRST_BACKOFF_MS;

  constructor(readonly partition: Partition) {}

  /**
   * The leader is unavailable or overloaded.
   * @param drawn from 0 to 1: jitter, so that the workers of a fleet do not return at the same time
   */
  backOff(nowMs: number, drawn: number): void {
    this.readyMs = nowMs + this.backoffMs * (0.5 + drawn / 2);
    this.backoffMs = Math.min(LAST_BACKOFF_MS, this.backoffMs * 2);
  }

  endBackOff(): void {
    this.readyMs = -Infinity;
    this.backoffMs = FIRST_BACKOFF_MS;
    if (this.pending.waiting === 0) this.isolating = false;
  }

  /** The connection or the leader is new: open requests may be lost, and there is no reason to back off. */
  startOver(): void {
    this.open = undefined;
    this.superseded = undefined;
    this.pending.allLost();
    this.endBackOff();
  }
}
