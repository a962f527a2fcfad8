/** A server with its folders, and the processes that a figure is measured with: brokers, workers, feeders. */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { streams, subjects } from '../../protocols/subjects.js';
import { connectNats } from '../../streams/connect.js';
import { startServer, type RunningServer } from '../../streams/server/start.js';
import { Forked } from '../processes/forked.js';
import type { Scope } from '../processes/scope.js';
import { namespace, partition } from '../reprise/tally.js';
import type { BrokerArgument, BrokerCalls, FeederCalls, Logged, Memory, WorkerCalls } from './calls.js';
import { sizeOf, type Size } from './sizes.js';

export const JOURNAL = streams.journal(namespace, partition);
const SNAPSHOTS = `OBJ_${streams.snapshots(namespace)}`;
const CONSUMERS = '/obs/';
const LOOK_MS = 2;
const UNKNOWN = `${partition}-${'0'.repeat(16)}`;
const START_WITHIN_MS = 300_000;

export interface Started {
  readonly broker: Forked<BrokerCalls>;
  /** From the start of the process to the first answered request, and from the election to leading. */
  readonly answeredMs: number;
  readonly leadingMs: number;
  /** Whether it began with a snapshot. */
  readonly fromSnapshot: boolean;
}

export interface Sizes {
  readonly journal: Size;
  readonly snapshots: Size;
  /** Of readers, of all streams: the server removes those that are gone after minutes. */
  readonly consumers: Size;
  readonly archive: Size;
  readonly index: Size;
}

export type BrokerSettings = Omit<BrokerArgument, 'url' | 'indexDir' | 'archive'> & { readonly archives?: boolean };

export class Stage {
  readonly archiveDir: string;
  readonly indexDir: string;

  private constructor(
    readonly server: RunningServer,
    readonly folder: string,
    /** As any client: brokers do not answer requests of their own user. */
    private readonly client: NatsConnection,
    readonly manager: JetStreamManager,
    private readonly scope: Scope,
  ) {
    this.archiveDir = join(folder, 'archive');
    this.indexDir = join(folder, 'index');
  }

  /** @param folder with a folder `server`, and perhaps `index`, to go on with; without it a new one */
  static async open(scope: Scope, folder?: string): Promise<Stage> {
    const within = folder ?? (await scope.temporaryFolder('reliability'));
    const server = await startServer({ dataDir: join(within, 'server') });
    scope.add(() => server.stop());
    const nc = await connectNats({ url: server.brokerUrl, name: 'bench reliability', reconnect: false });
    scope.add(() => nc.close());
    const client = await connectNats({ url: server.url, name: 'bench reliability', reconnect: false });
    scope.add(() => client.close());
    return new Stage(server, within, client, await jetstreamManager(nc, { checkAPI: false }), scope);
  }

  /** Resolves when it answers. */
  async startBroker(settings: BrokerSettings = {}, jobId = UNKNOWN): Promise<Forked<BrokerCalls>> {
    return (await this.measureStart(settings, jobId)).broker;
  }

  /** @param jobId of a job that the broker has */
  async measureStart(settings: BrokerSettings, jobId: string): Promise<Started> {
    const { archives = true, ...policies } = settings;
    const argument: BrokerArgument = {
      url: this.server.brokerUrl, indexDir: this.indexDir, ...(archives && { archive: this.archiveDir }), ...policies,
    };
    const startedMs = performance.now();
    const starting = Forked.start<BrokerCalls>(new URL('broker.child.js', import.meta.url), argument, this.scope);
    const answering = this.answered(jobId).then(() => performance.now() - startedMs);
    const [broker, answeredMs] = await Promise.all([starting, answering]);
    const leading = (await loggedBy(broker)).find(({ msg }) => msg === 'leading');
    const fromSnapshot = leading?.snapshotSeq !== undefined;
    return { broker, answeredMs, leadingMs: leading?.tookMs ?? 0, fromSnapshot };
  }

  /** Any reply of a leader counts: that a job is unknown, too. */
  private async answered(jobId: string): Promise<void> {
    const subject = subjects.command(namespace, { noun: 'job', verb: 'get' });
    const request = JSON.stringify({ jobId });
    for (const endMs = performance.now() + START_WITHIN_MS; performance.now() < endMs; await sleep(LOOK_MS)) {
      if (this.client.isClosed()) break;
      const reply = await this.client.request(subject, request, { timeout: 5_000 }).catch(() => undefined);
      const code = (reply?.json() as { readonly code?: string } | undefined)?.code;
      if (reply && (code === undefined || code === 'NOT_FOUND')) return;
    }
    throw new Error('The broker did not answer.');
  }

  startFeeder(): Promise<Forked<FeederCalls>> {
    return Forked.start(new URL('feeder.child.js', import.meta.url), { url: this.server.url }, this.scope);
  }

  startWorker(concurrency = 100): Promise<Forked<WorkerCalls>> {
    return Forked.start(new URL('worker.child.js', import.meta.url), { url: this.server.url, concurrency }, this.scope);
  }

  async sizes(): Promise<Sizes> {
    const of = (stream: string): Promise<Size> =>
      sizeOf(join(this.folder, 'server'), (path) => path.includes(`/${stream}/`) && !path.includes(CONSUMERS));
    const [journal, snapshots] = [await of(JOURNAL), await of(SNAPSHOTS)];
    const consumers = await sizeOf(join(this.folder, 'server'), (path) => path.includes(CONSUMERS));
    return {
      journal, snapshots, consumers, archive: await sizeOf(this.archiveDir), index: await sizeOf(this.indexDir),
    };
  }

  async firstSeq(): Promise<number> {
    return (await this.manager.streams.info(JOURNAL)).state.first_seq;
  }
}

/** The lines of a broker's log with this message, since the log was read the last time. */
export const loggedBy = (broker: Forked<BrokerCalls>): Promise<Logged[]> => broker.call('logged', undefined);

export const memoryOf = (broker: Forked<BrokerCalls>): Promise<Memory> => broker.call('memory', undefined);
