/** Says how far running attempts are, to whoever listens; per job at most every 100 ms. Never journaled. */
import type { JobId, Namespace } from '../protocols/ids.js';
import { subjects } from '../protocols/subjects.js';
import type { Attempt } from './performer/attempt.js';
import { Alarm } from './alarm.js';

const EVERY_MS = 100;

export class ProgressPublisher {
  readonly #publish: (subject: string, text: string) => void;
  readonly #namespace: Namespace;
  readonly #now: () => number;
  readonly #later = new Set<Attempt>();
  readonly #alarm: Alarm;

  constructor(namespace: Namespace, publish: (subject: string, text: string) => void, now: () => number) {
    this.#namespace = namespace;
    this.#publish = publish;
    this.#now = now;
    this.#alarm = new Alarm((nowMs) => this.#flush(nowMs), now);
  }

  progressed(attempt: Attempt): void {
    const nowMs = this.#now();
    if (nowMs >= attempt.publishedMs + EVERY_MS) return this.#tell(attempt, nowMs);
    this.#later.add(attempt);
    this.#alarm.by(attempt.publishedMs + EVERY_MS);
  }

  stop(): void {
    this.#alarm.stop();
  }

  #flush(nowMs: number): number {
    let nextMs = Infinity;
    for (const attempt of this.#later) {
      const dueMs = attempt.publishedMs + EVERY_MS;
      if (nowMs >= dueMs) this.#tell(attempt, nowMs);
      else nextMs = Math.min(nextMs, dueMs);
    }
    return nextMs;
  }

  #tell(attempt: Attempt, nowMs: number): void {
    this.#later.delete(attempt);
    attempt.publishedMs = nowMs;
    const { jobId, attempt: number } = attempt.lease;
    const { fraction, message } = attempt.progress!;
    const text = JSON.stringify({ jobId, attempt: number, fraction, message });
    this.#publish(subjects.progress(this.#namespace, jobId as JobId), text);
  }
}
