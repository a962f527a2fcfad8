/**
 * A whole Reprise for a test: a real server on a folder of its own, and brokers in this process or as processes that
 * can be killed. Everything ends with the test, by process id.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pino, { type Logger } from 'pino';
import { startBroker, type Broker, type BrokerOptions } from '../gateways/nats/broker.js';
import { parseNamespace, partitionOfQueue, type Namespace } from '../protocols/ids.js';
import { startServer, type RunningServer } from '../streams/server/start.js';

export const NAMESPACE = parseNamespace('test') as Namespace;

/** What tap's `t` gives us of itself. */
interface Test {
  teardown(end: () => Promise<void>): void;
}

export interface Options {
  readonly partitions?: number;
  /** How many brokers in this process; none when a test starts its own. */
  readonly brokers?: number;
  readonly log?: Logger;
  /** A module with another cast for the brokers, as `kinds`. */
  readonly cast?: URL;
  /** Where brokers in this process keep their indexes; without it in memory. */
  readonly indexDir?: string;
  /** Where they archive, and when. */
  readonly archive?: string;
  readonly archivePolicy?: BrokerOptions['archivePolicy'];
  /** When snapshots are taken, and journals truncated. */
  readonly policies?: BrokerOptions['policies'];
}

export const quiet = pino({ level: process.env['REPRISE_TEST_LOG'] ?? 'silent' }, pino.destination(2));

export class Reprise {
  readonly brokers: Broker[] = [];
  readonly children: ChildBroker[] = [];
  readonly ns = NAMESPACE;

  private constructor(
    readonly partitions: number,
    private running: RunningServer,
    private readonly log: Logger,
    private readonly cast?: URL,
    private readonly kept: Pick<BrokerOptions, 'indexDir' | 'archive' | 'archivePolicy' | 'policies'> = {},
  ) {}

  static async start(
    t: Test, { partitions = 1, brokers = 1, log = quiet, cast, ...kept }: Options = {},
  ): Promise<Reprise> {
    const dataDir = await mkdtemp(join(tmpdir(), 'reprise-test-'));
    const reprise = new Reprise(partitions, await startServer({ dataDir }), log, cast, kept);
    t.teardown(async () => {
      await reprise.stop();
      await rm(dataDir, { recursive: true, force: true });
    });
    for (let n = 0; n < brokers; n += 1) await reprise.startBroker();
    return reprise;
  }

  get server(): RunningServer {
    return this.running;
  }

  get url(): string {
    return this.running.url;
  }

  get brokerUrl(): string {
    return this.running.brokerUrl;
  }

  /** A broker in this process. @param url another way to the server, perhaps through a proxy */
  async startBroker(url = this.brokerUrl, log = this.log): Promise<Broker> {
    const { ns: namespace, partitions, kept } = this;
    const cast = await castOf(this.cast?.href);
    const broker = await startBroker({ url, namespace, partitions, version: '0.0.0', log, ...cast, ...kept });
    this.brokers.push(broker);
    await within(broker.ready, 10_000, 'the broker did not become ready');
    return broker;
  }

  async stopBroker(broker: Broker): Promise<void> {
    this.brokers.splice(this.brokers.indexOf(broker), 1);
    await broker.stop();
  }

  /** A broker as a process of its own. */
  async startChild(url = this.brokerUrl): Promise<ChildBroker> {
    const child = await ChildBroker.start(url, this.ns, this.partitions, this.cast);
    this.children.push(child);
    return child;
  }

  /** kill -9, and the same data folder on the same port again. */
  async killServer(downMs = 0): Promise<void> {
    const { pid, exited, dataDir, port } = this.running;
    process.kill(pid, 'SIGKILL');
    await exited;
    await wait(downMs);
    this.running = await startServer({ dataDir, port });
  }

  async stop(): Promise<void> {
    await Promise.all(this.children.map((child) => child.kill()));
    await Promise.all(this.brokers.map((broker) => {
      return within(broker.stop(), 15_000, 'a broker did not stop').catch(() => {});
    }));
    await this.running.stop();
  }
}

/** @param module with the cast as `kinds` */
export async function castOf(module: string | undefined): Promise<Pick<BrokerOptions, 'kinds'>> {
  if (!module) return {};
  const { kinds } = (await import(module)) as Required<Pick<BrokerOptions, 'kinds'>>;
  return { kinds };
}

export class ChildBroker {
  private constructor(private readonly process: ChildProcess) {}

  static async start(url: string, ns: string, partitions: number, cast?: URL): Promise<ChildBroker> {
    const script = fileURLToPath(new URL('broker-process.ts', import.meta.url));
    const child = spawn(process.execPath, ['--import=tsx', script], {
      stdio: ['pipe', 'pipe', process.env['REPRISE_TEST_LOG'] ? 'inherit' : 'ignore'],
      env: {
        ...process.env, BROKER_URL: url, BROKER_NAMESPACE: ns, BROKER_PARTITIONS: String(partitions),
        BROKER_CAST: cast?.href ?? '',
      },
    });
    const ended = once(child, 'exit').then(() => Promise.reject(new Error('the broker ended')));
    const first = Promise.race([once(child.stdout, 'data'), ended]);
    await within(first, 20_000, 'the broker process did not become ready');
    return new ChildBroker(child);
  }

  get pid(): number {
    return this.process.pid!;
  }

  get isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
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

export async function within<T>(promise: Promise<T>, ms: number, otherwise: string): Promise<T> {
  const late = new AbortController();
  const timeout = wait(ms, undefined, { signal: late.signal, ref: true }).then(() => {
    throw new Error(`${otherwise} within ${ms} ms`);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    late.abort();
    timeout.catch(() => {});
  }
}

type Polled<T> = T | undefined | false;

/** Polls until the result is neither undefined nor false. */
export async function eventually<T>(
  poll: () => Promise<Polled<T>> | Polled<T>,
  timeoutMs = 10_000,
  everyMs = 20,
): Promise<T> {
  const endMs = performance.now() + timeoutMs;
  for (;;) {
    const result = await poll();
    if (result !== undefined && result !== false) return result;
    if (performance.now() > endMs) {
      throw new Error(`it did not become true within ${timeoutMs} ms: ${poll.toString().slice(0, 200)}`);
    }
    await wait(everyMs);
  }
}

/** A queue for each partition, in order. */
export function queuesOf(partitions: number): string[] {
  const queues: string[] = [];
  for (let n = 0; queues.filter((each) => each !== undefined).length < partitions; n += 1) {
    queues[partitionOfQueue(`queue-${n}`, partitions)] ??= `queue-${n}`;
  }
  return queues;
}

/** Numbers from a seed, so that a failure can be seen again: mulberry32. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), 1 | state);
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z;
    return ((z ^ (z >>> 14)) >>> 0) / 4_294_967_296;
  };
}
