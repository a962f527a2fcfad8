/** Starts the process of the archiver, and starts it again when it dies. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FromArchiver, ToArchiver } from './messages.js';

export interface ForkedOptions {
  /** Called whenever the process has started: it knows nothing. */
  onStarted(): void;
  onMessage(message: FromArchiver): void;
  onDied(why: string): void;
}

const FIRST_WAIT_MS = 200;
const LAST_WAIT_MS = 30_000;
/** A process that ran for so long begins again with the shortest wait. */
const SETTLED_MS = 60_000;
const END_WITHIN_MS = 1_500;

const FROM_SOURCE = import.meta.url.endsWith('.ts');
const ENTRY = fileURLToPath(new URL(FROM_SOURCE ? 'child.ts' : 'child.js', import.meta.url));

export class Forked {
  private child: ChildProcess | undefined;
  private waitMs = FIRST_WAIT_MS;
  private restart: NodeJS.Timeout | undefined;
  private isStopping = false;

  constructor(private readonly options: ForkedOptions) {
    this.start();
  }

  get pid(): number | undefined {
    return this.child?.pid;
  }

  send(message: ToArchiver): void {
    if (this.child?.connected) this.child.send(message, () => undefined);
  }

  /** It is killed if it does not end by itself: what it leaves behind harms nobody. */
  async stop(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.restart);
    const { child } = this;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    if (child.connected) child.disconnect();
    const kill = setTimeout(() => child.kill('SIGKILL'), END_WITHIN_MS);
    await gone;
    clearTimeout(kill);
  }

  private start(): void {
    const startedMs = performance.now();
    const child = fork(ENTRY, [], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: FROM_SOURCE ? ['--import', import.meta.resolve('tsx')] : [],
    });
    this.child = child;
    child.on('message', (message: FromArchiver) => this.options.onMessage(message));
    const died = (why: string): void => {
      if (this.child !== child) return;
      this.child = undefined;
      this.again(performance.now() - startedMs, why);
    };
    child.on('exit', (code, signal) => died(`the process of the archiver ended with ${signal ?? code}`));
    child.on('error', (error) => child.pid === undefined && died(error.message));
    this.options.onStarted();
  }

  private again(livedMs: number, why: string): void {
    if (this.isStopping) return;
    if (livedMs >= SETTLED_MS) this.waitMs = FIRST_WAIT_MS;
    this.restart = setTimeout(() => this.start(), this.waitMs);
    this.waitMs = Math.min(LAST_WAIT_MS, this.waitMs * 2);
    this.options.onDied(why);
  }
}
