/** A child process that is restarted with growing waits when it dies, and can be replaced without a gap. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { messageOf, RepriseError } from '../../protocols/errors.js';
import { Backoff } from './backoff.js';
import { exitText, startProcess, type StartedProcess } from './process.js';

export interface SupervisedProcessOptions {
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly stopWithinMs: number;
  readonly log: Logger;
}

export class SupervisedProcess {
  private readonly backoff = new Backoff();
  private readonly stopping = new AbortController();
  private args: readonly string[];
  private current: StartedProcess | undefined;
  private served: readonly string[] = [];
  /** Whether it was ready once. A process that never was is not restarted. */
  private wasReady = false;
  private replacing: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: SupervisedProcessOptions) {
    this.args = options.args;
  }

  /** The job types that the process named when it became ready. */
  get serves(): readonly string[] {
    return this.served;
  }

  get pid(): number {
    return this.current?.pid ?? 0;
  }

  /** Resolves when the process is ready. @throws RepriseError if it ends before: a restart would not help */
  async start(): Promise<void> {
    const started = this.spawn();
    const { serves } = await started.ready.catch((cause: unknown) => {
      const message = `The ${this.options.name} did not start: ${messageOf(cause)}.`;
      throw new RepriseError('SERVER_FAILED', message, { hint: 'Its own error message is above.' });
    });
    this.wasReady = true;
    this.served = serves;
  }

  /**
   * Starts a process with other arguments, and stops the old one when the new one is ready. If the new one ends before,
   * the old one stays.
   * @returns whether it was replaced
   */
  replace(args: readonly string[]): Promise<boolean> {
    const replacing = this.replacing.then(() => this.replaceNow(args));
    this.replacing = replacing;
    return replacing;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.replacing;
    await this.current?.stop(this.options.stopWithinMs);
  }

  private async replaceNow(args: readonly string[]): Promise<boolean> {
    if (this.stopping.signal.aborted) return false;
    const { name, log, stopWithinMs, env } = this.options;
    const old = this.current;
    const next = startProcess(args, env);
    try {
      this.served = (await next.ready).serves;
    } catch (error) {
      log.error({ err: error }, `the new ${name} did not start; the old one stays`);
      return false;
    }
    this.args = args;
    this.adopt(next);
    log.info({ child: next.pid, old: old?.pid }, `${name} replaced`);
    await old?.stop(stopWithinMs);
    return true;
  }

  private spawn(): StartedProcess {
    const started = startProcess(this.args, this.options.env);
    this.adopt(started);
    return started;
  }

  private adopt(started: StartedProcess): void {
    this.current = started;
    const since = performance.now();
    void started.exited.then((exit) => this.died(started, exitText(exit), performance.now() - since));
  }

  private async died(started: StartedProcess, how: string, livedMs: number): Promise<void> {
    // A process that was replaced is meant to end.
    if (this.current !== started || !this.wasReady || this.stopping.signal.aborted) return;
    const { log, name } = this.options;
    const waitMs = this.backoff.after(livedMs);
    log.warn({ child: started.pid, how, waitMs }, `${name} died; it is started again`);
    await sleep(waitMs, undefined, { signal: this.stopping.signal }).catch(() => undefined);
    if (this.current === started && !this.stopping.signal.aborted) this.spawn();
  }
}
