/** Publishes the progress of running attempts to subscribers, per job at most every 100 ms. It is not journaled. */
import type { JobId, Namespace } from '../protocols/ids.js';
import { subjects } from '../protocols/subjects.js';
import type { Attempt } from './performer/attempt.js';
import { Alarm } from './alarm.js';

const EVERY_MS = 100;

export class ProgressPublisher {
  private readonly later = new Set<Attempt>();
  private readonly alarm: Alarm;

  constructor(
    private readonly namespace: Namespace,
    private readonly publishText: (subject: string, text: string) => void,
    private readonly now: () => number,
  ) {
    this.alarm = new Alarm((nowMs) => this.flush(nowMs), now);
  }

  progressed(attempt: Attempt): void {
    const nowMs = this.now();
    if (nowMs >= attempt.publishedMs + EVERY_MS) return this.publish(attempt, nowMs);
    this.later.add(attempt);
    this.alarm.by(attempt.publishedMs + EVERY_MS);
  }

  stop(): void {
    this.alarm.stop();
  }

  private flush(nowMs: number): number {
    let nextMs = Infinity;
    for (const attempt of this.later) {
      const dueMs = attempt.publishedMs + EVERY_MS;
      if (nowMs >= dueMs) this.publish(attempt, nowMs);
      else nextMs = Math.min(nextMs, dueMs);
    }
    return nextMs;
  }

  private publish(attempt: Attempt, nowMs: number): void {
    this.later.delete(attempt);
    attempt.publishedMs = nowMs;
    const { jobId, attempt: number } = attempt.lease;
    const { fraction, message } = attempt.progress!;
    const text = JSON.stringify({ jobId, attempt: number, fraction, message });
    this.publishText(subjects.progress(this.namespace, jobId as JobId), text);
  }
}
