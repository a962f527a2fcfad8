/** The two journals of the conformance suite, each with a way to make the next append go wrong. Tests only. */
import { createServer, connect as dial, type AddressInfo, type Server, type Socket } from 'node:net';
import {
  DiscardPolicy,
  jetstreamManager,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { streams, subjects } from '../../protocols/subjects.js';
import { connectNats } from '../connect.js';
import { openJournal } from '../jetstream.js';
import type { Journal } from '../journal.js';
import { MemoryStream, type Fault } from '../memory.js';

/** Faults that both can inject. On the real journal `refused` and `full` are provoked by other means. */
export type Mishap = Exclude<Fault, 'refused' | 'full'>;

export interface Rig {
  readonly partition: Partition;
  /** Faults for contending leaders: on the real journal only those that end at once, also when they hit a read. */
  readonly contended: readonly Mishap[];
  /** A new handle to the journal. */
  open(): Promise<Journal>;
  /** Publishes a message that is not ours, without a fence. */
  writeForeign(bytes: Uint8Array): Promise<void>;
  /** Removes a message, as a damaged block of the store does. */
  vanish(seq: number): Promise<void>;
  /** Happens to the next append of a handle that is open now. */
  mishap(mishap: Mishap): void;
  /** Delivers what was held back; resolves when the server has handled it. */
  arrive(): Promise<void>;
  /** Cuts every connection. */
  disconnect(): void;
  close(): Promise<void>;
}

export type MakeRig = (options?: { maxBytes?: number }) => Promise<Rig>;

const PARTITION = 0 as Partition;

export const memoryRig: MakeRig = (options) => {
  const stream = new MemoryStream(PARTITION, options);
  return Promise.resolve({
    partition: PARTITION,
    contended: ['ack lost', 'ack late', 'ack duplicated', 'message lost', 'message late', 'cut before', 'cut after'],
    open: () => stream.open(),
    writeForeign: async (bytes: Uint8Array) => void stream.write(bytes),
    vanish: async (seq: number) => void stream.messages.delete(seq),
    mishap: (mishap: Mishap) => stream.fault(mishap),
    arrive: async () => stream.arrive(),
    disconnect: () => stream.disconnect(),
    close: async () => undefined,
  });
};

let rigs = 0;

/** @param brokerUrl of a running server */
export const jetstreamRig = (brokerUrl: string): MakeRig => async (options) => {
  const ns = `rig${process.pid}x${++rigs}` as Namespace;
  const nc = await connectNats({ url: brokerUrl, name: 'rig', reconnect: true });
  const jsm = await jetstreamManager(nc);
  await makeStream(jsm, ns, options?.maxBytes ?? -1);
  const proxy = await Proxy.listen(new URL(brokerUrl));
  return {
    partition: PARTITION,
    contended: ['cut before', 'cut after'],
    open: () => openJournal({ url: proxy.url, ns, partition: PARTITION, ackTimeoutMs: 400 }),
    writeForeign: async (bytes) => void (await nc.request(subjects.journal(ns, PARTITION), bytes)),
    vanish: async (seq) => void (await jsm.streams.deleteMessage(streams.journal(ns, PARTITION), seq)),
    mishap: (mishap) => proxy.arm(mishap),
    arrive: () => proxy.arrive(),
    disconnect: () => proxy.cut(),
    close: () => closeRig(nc, jsm, ns, proxy),
  };
};

async function closeRig(nc: NatsConnection, jsm: JetStreamManager, ns: Namespace, proxy: Proxy): Promise<void> {
  await proxy.close();
  await jsm.streams.delete(streams.journal(ns, PARTITION));
  await nc.close();
}

/** As the topology makes it, but messages may be deleted, for {@link Rig.vanish}. */
async function makeStream(jsm: JetStreamManager, ns: Namespace, maxBytes: number): Promise<void> {
  await jsm.streams.add({
    name: streams.journal(ns, PARTITION),
    subjects: [subjects.journal(ns, PARTITION)],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_bytes: maxBytes,
  });
}

/** Between journal and server: forwards bytes. An armed mishap happens to the next connection that sends. */
export class Proxy {
  private readonly sockets = new Set<Socket>();
  private armed: Mishap | undefined;
  private held: (() => Promise<void>)[] = [];

  private constructor(
    private readonly target: URL,
    private readonly server: Server,
  ) {
    server.on('connection', (client) => this.connected(client));
  }

  static async listen(target: URL): Promise<Proxy> {
    const proxy = new Proxy(target, createServer());
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get url(): string {
    const url = new URL(this.target);
    url.port = String((this.server.address() as AddressInfo).port);
    return url.href;
  }

  arm(mishap: Mishap): void {
    this.armed = mishap;
  }

  async arrive(): Promise<void> {
    const held = this.held;
    this.held = [];
    for (const deliver of held) await deliver();
  }

  cut(): void {
    for (const socket of this.sockets) socket.destroy();
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private connected(client: Socket): void {
    const upstream = dial(Number(this.target.port), this.target.hostname);
    const line = new Line(client, upstream, () => {
      const mishap = this.armed;
      this.armed = undefined;
      return mishap;
    }, (deliver) => this.held.push(deliver));
    for (const socket of [client, upstream]) {
      this.sockets.add(socket);
      socket.setNoDelay(true);
      socket.on('error', () => undefined);
      socket.on('close', () => this.sockets.delete(socket));
    }
    client.on('data', (bytes) => line.fromClient(bytes));
    upstream.on('data', (bytes) => line.fromServer(bytes));
    upstream.on('close', () => client.destroy());
    client.on('close', () => line.clientGone());
  }
}

/** One connection through the proxy. */
class Line {
  private mishap: Mishap | undefined;
  private late: Buffer[] = [];
  private answered: (() => void) | undefined;

  constructor(
    private readonly client: Socket,
    private readonly upstream: Socket,
    private readonly draw: () => Mishap | undefined,
    private readonly hold: (deliver: () => Promise<void>) => void,
  ) {}

  fromClient(bytes: Buffer): void {
    if (this.mishap === undefined) this.begin(this.draw());
    if (this.mishap === 'message lost') return;
    if (this.mishap === 'cut before') this.client.destroy();
    else if (this.mishap === 'message late') this.late.push(bytes);
    else this.upstream.write(bytes);
  }

  fromServer(bytes: Buffer): void {
    this.answered?.();
    if (this.mishap === 'cut after') this.client.destroy();
    else if (this.mishap === 'ack late' || this.mishap === 'message late') this.late.push(bytes);
    else if (this.mishap === 'ack duplicated') this.client.write(Buffer.concat([bytes, bytes]));
    else if (this.mishap !== 'ack lost' && this.mishap !== 'message lost') this.client.write(bytes);
    if (this.mishap === 'ack duplicated') this.mishap = undefined;
  }

  /** A late message still arrives after its sender is gone, as if a router had held it. */
  clientGone(): void {
    if (this.mishap !== 'message late') this.upstream.destroy();
  }

  private begin(mishap: Mishap | undefined): void {
    this.mishap = mishap;
    if (mishap === 'ack late') this.hold(async () => void this.client.write(Buffer.concat(this.late)));
    if (mishap === 'message late') this.hold(() => this.deliver());
  }

  private deliver(): Promise<void> {
    return new Promise((resolve) => {
      this.answered = resolve;
      this.upstream.write(Buffer.concat(this.late));
    });
  }
}
