/** A process that is kept running: started again with growing waits when it dies, replaced without a gap when asked. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { RepriseError } from '../../protocols/errors.js';
import { Backoff } from './backoff.js';
import { startProcess, type Started } from './process.js';

export interface KeptOptions {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly stopWithinMs: number;
  readonly log: Logger;
}

export class Kept {
  readonly #options: KeptOptions;
  readonly #backoff = new Backoff();
  readonly #stopping = new AbortController();
  #current: Started | undefined;
  /** Whether one was ever ready: until then nobody has a use for another. */
  #proven = false;
  #replacing: Promise<void> = Promise.resolve();

  constructor(options: KeptOptions) {
    this.#options = options;
  }

  get pid(): number {
    return this.#current?.pid ?? 0;
  }

  /** Resolves when it is ready. @throws RepriseError when the first process ends before that: it would not help to go on */
  async start(): Promise<void> {
    const started = this.#spawn();
    await started.ready.catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new RepriseError('SERVER_FAILED', `The ${this.#options.name} did not start: ${why}.`, { hint: 'Its own words are above.' });
    });
    this.#proven = true;
  }

  /** Starts another one, and ends the old one when the new one is ready. If that never is, the old one stays. */
  replace(): Promise<void> {
    this.#replacing = this.#replacing.then(() => this.#replace());
    return this.#replacing;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#replacing;
    await this.#current?.stop(this.#options.stopWithinMs);
  }

  async #replace(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    const { name, log, stopWithinMs, args, env } = this.#options;
    const old = this.#current;
    const next = startProcess(args, env);
    try {
      await next.ready;
    } catch (error) {
      log.error({ err: error }, `the new ${name} did not start; the old one goes on`);
      return;
    }
    this.#adopt(next);
    log.info({ child: next.pid, old: old?.pid }, `${name} replaced`);
    await old?.stop(stopWithinMs);
  }

  #spawn(): Started {
    const started = startProcess(this.#options.args, this.#options.env);
    this.#adopt(started);
    return started;
  }

  #adopt(started: Started): void {
    this.#current = started;
    const since = performance.now();
    void started.exited.then(({ code, signal }) => this.#died(started, signal ?? `status ${code}`, performance.now() - since));
  }

  async #died(started: Started, how: string, livedMs: number): Promise<void> {
    // One that was replaced may go.
    if (this.#current !== started || !this.#proven || this.#stopping.signal.aborted) return;
    const waitMs = this.#backoff.after(livedMs);
    this.#options.log.warn({ child: started.pid, how, waitMs }, `${this.#options.name} died; it is started again`);
    await sleep(waitMs, undefined, { signal: this.#stopping.signal }).catch(() => undefined);
    if (this.#current === started && !this.#stopping.signal.aborted) this.#spawn();
  }
}
