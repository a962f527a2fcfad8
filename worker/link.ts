/** What the process knows of one partition: its leader's epoch, the open pull, what is held and what is to be reported. */
import type { Partition } from '../protocols/ids.js';
import type { Slot } from './performer/perform.js';
import { Outbox } from './outbox.js';

const FIRST_BACKOFF_MS = 50;
const LAST_BACKOFF_MS = 1_000;

export class Link {
  readonly partition: Partition;
  readonly outbox = new Outbox();
  /** By token: what is being performed and may still be reported. */
  readonly held = new Map<string, Slot>();
  pullSeq = 0;
  /** Numbers the requests that carry reports, pulls or not, for the outbox. */
  requests = 0;
  epoch = 0;
  open: { readonly seq: number; free: number } | undefined;
  /** The last pull brought as many leases as it had asked for. */
  hungry = false;
  /** The last pull that another one superseded, until either is answered: meanwhile reports gather. */
  superseded: { readonly seq: number; readonly untilMs: number } | undefined;
  /** Nothing is sent before. */
  readyMs = -Infinity;
  /** A request was refused, perhaps because of a report in it: each that waits is sent alone. */
  isolating = false;
  #backoffMs = FIRST_BACKOFF_MS;

  constructor(partition: Partition) {
    this.partition = partition;
  }

  /** The leader is not there, or too busy. Drawn apart, so that a fleet does not come back as one. */
  backOff(nowMs: number, drawn: number): void {
    this.readyMs = nowMs + this.#backoffMs * (0.5 + drawn / 2);
    this.#backoffMs = Math.min(LAST_BACKOFF_MS, this.#backoffMs * 2);
  }

  heard(): void {
    this.readyMs = -Infinity;
    this.#backoffMs = FIRST_BACKOFF_MS;
    if (this.outbox.waiting === 0) this.isolating = false;
  }

  /** Connection or leader are new: whatever is under way may be lost, and nothing speaks against asking at once. */
  startOver(): void {
    this.open = undefined;
    this.superseded = undefined;
    this.outbox.allLost();
    this.heard();
  }
}
