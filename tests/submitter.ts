/** A client that submits at a steady rate, retries with the same command ids, and records what was acknowledged. */
import { setTimeout as wait } from 'node:timers/promises';
import type { Stranger } from './stranger.js';

interface Reply {
  readonly jobId?: string;
  readonly error?: { code: string; retryable: boolean; message: string };
}

const BATCH = 50;
const MOST_OUTSTANDING = 40;

export class Submitter {
  /** Job ids by command id. */
  readonly acknowledged = new Map<string, string>();
  readonly complaints: string[] = [];
  readonly refusals = new Map<string, number>();
  private readonly outstanding = new Set<Promise<void>>();
  private next = 0;
  private stopping = false;
  private running: Promise<void> = Promise.resolve();
  private giveUpMs = Number.POSITIVE_INFINITY;

  constructor(
    private readonly client: Stranger,
    private readonly job: object,
  ) {}

  start(perSecond: number): void {
    this.running = this.run((1_000 * BATCH) / perSecond);
  }

  /** No more new jobs; resolves when every one is acknowledged, or the time is up. */
  async finish(timeoutMs: number): Promise<number> {
    this.stopping = true;
    this.giveUpMs = performance.now() + timeoutMs;
    await this.running;
    await Promise.all(this.outstanding);
    return this.next;
  }

  /** For a test that has failed already. */
  abandon(): void {
    this.stopping = true;
    this.giveUpMs = 0;
  }

  private async run(everyMs: number): Promise<void> {
    for (let due = performance.now(); !this.stopping; due += everyMs) {
      await wait(Math.max(0, due - performance.now()));
      while (this.outstanding.size >= MOST_OUTSTANDING && !this.stopping) {
        await wait(5);
        due = performance.now();
      }
      const ids = Array.from({ length: BATCH }, () => `c-${(this.next += 1)}`);
      const batch = this.untilAcknowledged(ids).finally(() => this.outstanding.delete(batch));
      this.outstanding.add(batch);
    }
  }

  private async untilAcknowledged(ids: readonly string[]): Promise<void> {
    let rest = ids;
    while (rest.length > 0 && performance.now() < this.giveUpMs) {
      const asked = rest;
      const replies = await this.submit(asked);
      rest = asked.filter((id, n) => !this.note(id, replies?.[n]));
      if (rest.length > 0) await wait(100);
    }
  }

  private async submit(ids: readonly string[]): Promise<readonly Reply[] | undefined> {
    const jobs = ids.map((commandId) => {
      const n = Number(commandId.slice(2));
      return { ...this.job, payload: n, commandId, ...(n % 2 ? { key: `key ${n}` } : {}) };
    });
    try {
      const { code, body } = await this.client.json('job.submit', { jobs }, 2_000);
      if (code !== '') this.count(code);
      return code === '' ? (body['jobs'] as Reply[]) : undefined;
    } catch (error) {
      this.count(String(error));
      return undefined;
    }
  }

  /** @returns whether it need not be sent again */
  private note(commandId: string, reply: Reply | undefined): boolean {
    if (reply === undefined) return false;
    const { jobId, error } = reply;
    if (error) {
      this.count(error.code);
      if (!error.retryable) this.complaints.push(`${commandId}: ${error.code} ${error.message}`);
      return !error.retryable;
    }
    const before = this.acknowledged.get(commandId);
    if (before !== undefined && before !== jobId) {
      this.complaints.push(`${commandId} is ${before} and ${String(jobId)}`);
    }
    this.acknowledged.set(commandId, jobId!);
    return true;
  }

  private count(code: string): void {
    this.refusals.set(code, (this.refusals.get(code) ?? 0) + 1);
  }
}
