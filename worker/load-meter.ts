/** Measures how this process is doing. Brokers show it; nothing depends on it. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { worker } from '../protocols/messages.js';

/** How often it is sent to a partition. */
const EVERY_MS = 2_000;
/** What is measured is of this time and the one before it at most. */
const WINDOW_MS = 10_000;
/** Of the timer that measures delays: it is in what it reports. */
const RESOLUTION_MS = 20;

interface Slots {
  readonly capacity: number;
  readonly busy: { readonly size: number };
}

export class LoadMeter {
  private readonly delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  private readonly sentMs = new Map<number, number>();
  private beganMs = -Infinity;
  private measuredMs = -Infinity;
  private measured: worker.Load.$Properties = {};
  private isRefused = false;

  constructor(private readonly slots: Slots) {
    this.delays.enable();
  }

  /** @returns undefined if the partition had it a moment ago */
  due(partition: number, nowMs: number): worker.Load.$Properties | undefined {
    if (this.isRefused || nowMs < (this.sentMs.get(partition) ?? -Infinity) + EVERY_MS) return undefined;
    this.sentMs.set(partition, nowMs);
    if (nowMs >= this.measuredMs + EVERY_MS) this.measure(nowMs);
    return this.measured;
  }

  /**
   * Brokers up to 0.4.0 do not know the field, and refuse a request with it as a whole.
   * @returns whether the request is to be sent again without it
   */
  refused(code: string, wasSent: boolean): boolean {
    const isUnknown = wasSent && code === 'INVALID_ARGUMENT';
    if (isUnknown) this.isRefused = true;
    return isUnknown;
  }

  stop(): void {
    this.delays.disable();
  }

  private measure(nowMs: number): void {
    this.measuredMs = nowMs;
    const { capacity, busy } = this.slots;
    const delayMs = this.delays.count > 0 ? this.delays.percentile(99) / 1e6 - RESOLUTION_MS : 0;
    this.measured = {
      slots: Math.min(1, busy.size / capacity), attempts: busy.size, memoryBytes: process.memoryUsage.rss(),
      eventLoopMs: Math.max(0, Math.round(delayMs * 10) / 10),
    };
    if (nowMs < this.beganMs + WINDOW_MS) return;
    this.beganMs = nowMs;
    this.delays.reset();
  }
}
