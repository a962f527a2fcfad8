/** The embedded server, restarted on the same port and data folder when it dies or cannot write any more. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { healthOf, isWriteError, ROOM_BYTES, roomIn } from '../../streams/server/health.js';
import { startServer, type RunningServer } from '../../streams/server/start.js';
import { Backoff } from './backoff.js';
import { exitText } from './process.js';

export interface SupervisedServerOptions {
  readonly dataDir: string;
  readonly port: number | undefined;
  readonly log: Logger;
}

const CHECK_EVERY_MS = 1_000;

export class SupervisedServer {
  /** Called after a restart: process id and monitoring address have changed. */
  onRestart: () => void = () => undefined;
  private readonly backoff = new Backoff();
  private readonly stopping = new AbortController();
  private restarting: Promise<void> = Promise.resolve();
  /** The server that was stopped here in order to be restarted. */
  private stopped: RunningServer | undefined;

  private constructor(
    private readonly options: SupervisedServerOptions,
    private server: RunningServer,
  ) {
    this.restartOnExit();
    void this.checkWrites();
  }

  static async start(options: SupervisedServerOptions): Promise<SupervisedServer> {
    const { dataDir, port, log } = options;
    const server = await startServer({ dataDir, ...(port !== undefined && { port }), log: (line) => log.info(line) });
    return new SupervisedServer(options, server);
  }

  get running(): RunningServer {
    return this.server;
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.restarting;
    await this.server.stop();
  }

  /** After a failed write the server stores nothing until it is restarted, which helps once there is free space. */
  private async checkWrites(): Promise<void> {
    let isLogged = false;
    while (await this.pause(CHECK_EVERY_MS)) {
      const health = await healthOf(this.server.monitoringUrl);
      if (!isWriteError(health)) {
        isLogged = false;
        continue;
      }
      const room = await roomIn(this.options.dataDir).catch(() => 0);
      if (room >= ROOM_BYTES) await this.restartForWrites(health.says);
      else if (!isLogged) this.logFullDisk(room, health.says);
      isLogged = true;
    }
  }

  private logFullDisk(room: number, why: string): void {
    const fields = { code: 'DISK_FULL', room, needed: ROOM_BYTES, why };
    this.options.log.error(fields, 'the server cannot write; it is restarted when there is enough free space');
  }

  /** Stops the server; {@link restartOnExit} starts it again. */
  private async restartForWrites(why: string): Promise<void> {
    this.options.log.warn({ why }, 'the server could not write and stores nothing until a restart; restarting it');
    this.stopped = this.server;
    await this.stopped.stop();
    while (this.server === this.stopped && (await this.pause(CHECK_EVERY_MS)));
  }

  /** @returns false if the server is being stopped for good */
  private pause(ms: number): Promise<boolean> {
    return sleep(ms, true, { signal: this.stopping.signal }).catch(() => false);
  }

  private restartOnExit(): void {
    const since = performance.now();
    void this.server.exited.then((exit) => {
      if (this.stopping.signal.aborted) return;
      const { log } = this.options;
      if (this.stopped !== this.server) log.warn({ how: exitText(exit) }, 'server died; it is started again');
      this.restarting = this.restart(performance.now() - since);
    });
  }

  private async restart(livedMs: number): Promise<void> {
    const { dataDir, log } = this.options;
    for (let lived = livedMs; !this.stopping.signal.aborted; lived = 0) {
      if (!(await this.pause(this.backoff.after(lived)))) return;
      try {
        this.server = await startServer({ dataDir, port: this.server.port });
      } catch (error) {
        log.error({ err: error }, 'the server did not start');
        continue;
      }
      this.restartOnExit();
      return this.notifyRestart();
    }
  }

  private notifyRestart(): void {
    try {
      this.onRestart();
    } catch (error) {
      this.options.log.warn({ err: error }, 'the new address of the server could not be written to .reprise/dev.json');
    }
  }
}
