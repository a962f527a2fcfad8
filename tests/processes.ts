/** Processes that tests start, stop and kill, by process id; and a way to the server that can be cut. */
import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { within, type ChildBroker } from './broker.js';
import type { Stranger } from './stranger.js';

export class Child {
  private readonly said: string[] = [];

  private constructor(private readonly process: ChildProcess) {
    process.stdout?.on('data', (data: Buffer) => this.said.push(...data.toString().trim().split('\n')));
  }

  /** @param script in this folder; it says "ready" */
  static async start(script: string, env: Readonly<Record<string, string>>): Promise<Child> {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const shown = process.env['REPRISE_TEST_LOG'] ? 'inherit' : 'ignore';
    const options: SpawnOptions = { stdio: ['pipe', 'pipe', shown], env: { ...process.env, ...env } };
    const child = new Child(spawn(process.execPath, ['--import=tsx', path], options));
    await within(child.says('ready'), 20_000, `${script} did not become ready`);
    return child;
  }

  static worker(url: string, ns: string): Promise<Child> {
    return Child.start('worker-process.ts', { WORKER_URL: url, WORKER_NAMESPACE: ns });
  }

  get pid(): number {
    return this.process.pid!;
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  async says(line: string): Promise<void> {
    while (!this.said.includes(line)) {
      if (!this.isRunning) throw new Error('the process has ended');
      await Promise.race([once(this.process.stdout!, 'data'), once(this.process, 'exit')]);
    }
  }

  signal(signal: NodeJS.Signals): void {
    if (this.isRunning) process.kill(this.pid, signal);
  }

  async kill(): Promise<void> {
    if (!this.isRunning) return;
    const exited = once(this.process, 'exit');
    this.signal('SIGKILL');
    await exited;
  }
}

/** A TCP proxy on loopback, with all connections cut at will. */
export class Proxy {
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly listener: Server,
    private readonly port: number,
  ) {}

  static async start(toPort: number): Promise<Proxy> {
    const listener = createServer();
    const proxy = new Proxy(listener, toPort);
    listener.on('connection', (socket) => proxy.join(socket));
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return proxy;
  }

  /** The same URL by way of this proxy. */
  by(url: string): string {
    const through = new URL(url);
    through.port = String((this.listener.address() as { port: number }).port);
    return through.href;
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async stop(): Promise<void> {
    this.cut();
    this.listener.close();
    await once(this.listener, 'close');
  }

  private join(socket: Socket): void {
    const server = connect(this.port, '127.0.0.1');
    for (const [from, to] of [[socket, server], [server, socket]] as const) {
      this.sockets.add(from);
      from.pipe(to);
      from.on('error', () => {}).on('close', () => (this.sockets.delete(from), to.destroy()));
    }
  }
}

/** The process id is part of a broker's name, which the lease holds. */
export async function leaderOf(client: Stranger, brokers: readonly ChildBroker[]): Promise<ChildBroker | undefined> {
  const bucket = `REPRISE_${client.ns}_LEASES`;
  const manager = await client.reader.jetstreamManager({ checkAPI: false });
  const last = { last_by_subj: `$KV.${bucket}.0` };
  const entry = await manager.streams.getMessage(`KV_${bucket}`, last).catch(() => undefined);
  const pid = /-(\d+)-[0-9a-f]{4}$/.exec(entry?.string() ?? '')?.[1];
  return brokers.find((broker) => String(broker.pid) === pid);
}
