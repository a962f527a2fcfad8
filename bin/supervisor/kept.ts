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
  #args: readonly string[];
  #serves: readonly string[] = [];
  readonly #backoff = new Backoff();
  readonly #stopping = new AbortController();
  #current: Started | undefined;
  /** Whether one was ever ready: until then nobody has a use for another. */
  #proven = false;
  #replacing: Promise<unknown> = Promise.resolve();

  constructor(options: KeptOptions) {
    this.#options = options;
    this.#args = options.args;
  }

  /** What the process said that it serves when it became ready. */
  get serves(): readonly string[] {
    return this.#serves;
  }

  get pid(): number {
    return this.#current?.pid ?? 0;
  }

  /** Resolves when it is ready. @throws RepriseError when the first process ends before that: it would not help to go on */
  async start(): Promise<void> {
    const started = this.#spawn();
    const { serves } = await started.ready.catch((cause: unknown) => {
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new RepriseError('SERVER_FAILED', `The ${this.#options.name} did not start: ${why}.`, { hint: 'Its own words are above.' });
    });
    this.#proven = true;
    this.#serves = serves;
  }

  /**
   * Starts another one with `args`, and ends the old one when the new one is ready. If that never is, the old one stays.
   * @returns whether it was replaced
   */
  replace(args: readonly string[]): Promise<boolean> {
    const replacing = this.#replacing.then(() => this.#replace(args));
    this.#replacing = replacing;
    return replacing;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#replacing;
    await this.#current?.stop(this.#options.stopWithinMs);
  }

  async #replace(args: readonly string[]): Promise<boolean> {
    if (this.#stopping.signal.aborted) return false;
    const { name, log, stopWithinMs, env } = this.#options;
    const old = this.#current;
    const next = startProcess(args, env);
    try {
      this.#serves = (await next.ready).serves;
    } catch (error) {
      log.error({ err: error }, `the new ${name} did not start; the old one goes on`);
      return false;
    }
    this.#args = args;
    this.#adopt(next);
    log.info({ child: next.pid, old: old?.pid }, `${name} replaced`);
    await old?.stop(stopWithinMs);
    return true;
  }

  #spawn(): Started {
    const started = startProcess(this.#args, this.#options.env);
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
