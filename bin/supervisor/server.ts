/** The embedded server, kept running: on the same port and data folder when it is started again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { startServer, type RunningServer } from '../../streams/server/start.js';
import { Backoff } from './backoff.js';

export interface KeptServerOptions {
  readonly dataDir: string;
  readonly port: number | undefined;
  readonly log: Logger;
}

export class KeptServer {
  /** Called when it was started again: its process and its monitoring address are others. */
  onRestart: () => void = () => undefined;
  readonly #options: KeptServerOptions;
  readonly #backoff = new Backoff();
  readonly #stopping = new AbortController();
  #restarting: Promise<void> = Promise.resolve();
  #server: RunningServer;

  private constructor(options: KeptServerOptions, server: RunningServer) {
    this.#options = options;
    this.#server = server;
    this.#watch();
  }

  static async start(options: KeptServerOptions): Promise<KeptServer> {
    const { dataDir, port, log } = options;
    const server = await startServer({ dataDir, ...(port !== undefined && { port }), log: (line) => log.info(line) });
    return new KeptServer(options, server);
  }

  get running(): RunningServer {
    return this.#server;
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#restarting;
    await this.#server.stop();
  }

  #watch(): void {
    const since = performance.now();
    void this.#server.exited.then(({ code, signal }) => {
      if (this.#stopping.signal.aborted) return;
      this.#options.log.warn({ how: signal ?? `status ${code}` }, 'server died; it is started again');
      this.#restarting = this.#restart(performance.now() - since);
    });
  }

  async #restart(livedMs: number): Promise<void> {
    const { dataDir, log } = this.#options;
    for (let lived = livedMs; !this.#stopping.signal.aborted; lived = 0) {
      await sleep(this.#backoff.after(lived), undefined, { signal: this.#stopping.signal }).catch(() => undefined);
      if (this.#stopping.signal.aborted) return;
      try {
        this.#server = await startServer({ dataDir, port: this.#server.port });
        this.onRestart();
        return this.#watch();
      } catch (error) {
        log.error({ err: error }, 'the server did not start');
      }
    }
  }
}
