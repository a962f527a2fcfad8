/** The embedded server, kept running: on the same port and data folder when it is started again. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { healthOf, isWriteError, ROOM_BYTES, roomIn } from '../../streams/server/health.js';
import { startServer, type RunningServer } from '../../streams/server/start.js';
import { Backoff } from './backoff.js';

export interface KeptServerOptions {
  readonly dataDir: string;
  readonly port: number | undefined;
  readonly log: Logger;
}

const LOOK_EVERY_MS = 1_000;

export class KeptServer {
  /** Called when it was started again: its process and its monitoring address are others. */
  onRestart: () => void = () => undefined;
  readonly #options: KeptServerOptions;
  readonly #backoff = new Backoff();
  readonly #stopping = new AbortController();
  #restarting: Promise<void> = Promise.resolve();
  #server: RunningServer;
  /** The one that was ended here, to be started again. */
  #ended: RunningServer | undefined;

  private constructor(options: KeptServerOptions, server: RunningServer) {
    this.#options = options;
    this.#server = server;
    this.#watch();
    void this.#tend();
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

  /** A server that could not write once must be restarted, which helps as soon as there is room. */
  async #tend(): Promise<void> {
    let isTold = false;
    while (await this.#pause(LOOK_EVERY_MS)) {
      const health = await healthOf(this.#server.monitoringUrl);
      if (!isWriteError(health)) {
        isTold = false;
        continue;
      }
      const room = await roomIn(this.#options.dataDir).catch(() => 0);
      if (room >= ROOM_BYTES) await this.#again(health.says);
      else if (!isTold) this.#options.log.error({ code: 'DISK_FULL', room, why: health.says }, 'the server cannot write; it is restarted when there is room');
      isTold = true;
    }
  }

  /** Ends it; {@link #watch} starts it again. */
  async #again(why: string): Promise<void> {
    this.#options.log.warn({ why }, 'the server could not write and takes nothing more until it is restarted, which is done now');
    this.#ended = this.#server;
    await this.#ended.stop();
    while (this.#server === this.#ended && (await this.#pause(LOOK_EVERY_MS)));
  }

  /** @returns false when this server is to end */
  #pause(ms: number): Promise<boolean> {
    return sleep(ms, true, { signal: this.#stopping.signal }).catch(() => false);
  }

  #watch(): void {
    const since = performance.now();
    void this.#server.exited.then(({ code, signal }) => {
      if (this.#stopping.signal.aborted) return;
      if (this.#ended !== this.#server) this.#options.log.warn({ how: signal ?? `status ${code}` }, 'server died; it is started again');
      this.#restarting = this.#restart(performance.now() - since);
    });
  }

  #tellRestart(): void {
    try {
      this.onRestart();
    } catch (error) {
      this.#options.log.warn({ err: error }, 'the new addresses of the server could not be written down');
    }
  }

  async #restart(livedMs: number): Promise<void> {
    const { dataDir, log } = this.#options;
    for (let lived = livedMs; !this.#stopping.signal.aborted; lived = 0) {
      if (!(await this.#pause(this.#backoff.after(lived)))) return;
      try {
        this.#server = await startServer({ dataDir, port: this.#server.port });
      } catch (error) {
        log.error({ err: error }, 'the server did not start');
        continue;
      }
      this.#watch();
      return this.#tellRestart();
    }
  }
}
