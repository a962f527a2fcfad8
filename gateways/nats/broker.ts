/** A broker: leads partitions when it can, runs their projections, and serves the public subjects. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import type { CastMember } from '../../actors/cast.js';
import type { ArchivePolicy } from '../../partition/archiver/messages.js';
import type { Leader } from '../../partition/leader/leader.js';
import { PartitionHost } from '../../partition/leader/host.js';
import type { SnapshotPolicy } from '../../partition/leader/snapshotter.js';
import type { TruncationPolicy } from '../../partition/leader/truncator.js';
import { COMMANDS } from '../../actors/commands.js';
import { KINDS } from '../../actors/kinds.js';
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import type { Keyring } from '../../protocols/keyring.js';
import { subjects } from '../../protocols/subjects.js';
import { connectNats } from '../../streams/connect.js';
import { storedHead } from '../../streams/head.js';
import { openCheckpoints, openWitness, type Heads } from '../../streams/heads.js';
import { mayListen } from '../../streams/listeners.js';
import { loadKeyring } from '../../streams/keys.js';
import { openLeadership } from '../../streams/leadership.js';
import { checkGatewayRights, checkStreamRights } from '../../streams/rights.js';
import { gatewayUrl, userOf } from '../../streams/server/address.js';
import { mostCommitBytes } from '../../streams/server/max-payload.js';
import { Publisher } from '../../streams/publisher.js';
import { Objects } from '../../streams/snapshots/objects.js';
import { SnapshotStore } from '../../streams/snapshots/store.js';
import { ensureTopology } from '../../streams/topology.js';
import { Identities } from '../identities.js';
import { Router } from '../router.js';
import { deliverables } from '../deliverables.js';
import { BrokerArchive } from './archive.js';
import { NatsPeers } from './peers.js';
import { Projections, logForeign } from './projections.js';
import { announce, serveLeader, type Serving } from './service.js';

export interface BrokerOptions {
  /** With the broker user's name and password, where the server has one. */
  readonly url: string;
  readonly namespace: Namespace;
  readonly partitions: number;
  readonly replicas?: number;
  readonly version: string;
  readonly log: Logger;
  /** The cast that it hosts, {@link KINDS} by default. All brokers of a namespace must host the same one. */
  readonly kinds?: readonly CastMember[];
  /** When snapshots are taken, and journals truncated. */
  readonly policies?: { readonly snapshotPolicy?: SnapshotPolicy; readonly truncationPolicy?: TruncationPolicy };
  /** Where the indexes of ended jobs are kept. Without it they stay in memory, and are made again at every start. */
  readonly indexDir?: string;
  /** Where journals are archived: a folder, or `s3://bucket/prefix`. Without it they are not. */
  readonly archive?: string;
  readonly archivePolicy?: Partial<ArchivePolicy>;
}

export interface Broker {
  readonly name: string;
  /** Resolves when every partition has a leader, here or elsewhere. */
  readonly ready: Promise<void>;
  readonly hosts: readonly PartitionHost[];
  readonly archive: BrokerArchive;
  stop(): Promise<void>;
}

/** Functions that close what was opened, in the order of opening. */
type Opened = (() => Promise<unknown>)[];

/** @throws RepriseError for an error that a retry cannot change; everything is closed then */
export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const opened: Opened = [];
  const stop = async (): Promise<void> => {
    for (const close of opened.splice(0).reverse()) await close();
  };
  try {
    return { ...(await start(options, opened)), stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function start(options: BrokerOptions, opened: Opened): Promise<Omit<Broker, 'stop'>> {
  const { url, namespace: ns, partitions, log } = options;
  const name = `${hostname().replaceAll(/[^A-Za-z0-9_-]/g, '-')}-${process.pid}-${randomBytes(2).toString('hex')}`;
  const control = await connectNats({ url, name: `reprise broker ${name}`, reconnect: true });
  opened.push(() => control.close());
  const maxCommitBytes = mostCommitBytes(control);
  const topology = (): Promise<void> => ensureTopology(control, ns, partitions, { replicas: options.replicas ?? 1 });
  await topology();
  await checkStreamRights(control, userOf(url), ns, partitions);
  const archive = await BrokerArchive.open({
    control, url, ns, log, location: options.archive, policy: options.archivePolicy,
  });
  opened.push(() => archive.close());
  const nc = await connectGateway(url, `reprise gateway ${name}`);
  opened.push(() => nc.close());
  const witness = openWitness(control, ns, {
    onError: (error) => log.warn({ err: error }, 'a head could not be witnessed'),
  });
  opened.push(() => witness.close());
  const checkpoints = openCheckpoints(control, ns, {
    onError: (error) => log.warn({ err: error }, 'a checkpoint could not be written'),
  });
  opened.push(() => checkpoints.close());
  const hosts: PartitionHost[] = [];
  const keyring = await loadKeyring(control, ns, (messages) =>
    log.warn({ messages }, 'messages in the stream of keys are no keys; they are skipped'));
  const peers = new NatsPeers(nc, ns, partitions);
  const router = new Router({
    hosts,
    identities: new Identities(keyring),
    peers,
    onRefused: ({ noun, verb }, rejection) => log.debug({ command: `${noun}.${verb}`, ...rejection }, 'refused'),
  });
  const serving = { nc, ns, router };
  for (let n = 0; n < partitions; n += 1) {
    const partition = n as Partition;
    hosts.push(await host({
      opened, options, name, control, serving, peers, topology, witness, checkpoints, keyring, partition,
      maxCommitBytes, archive,
    }));
  }
  opened.push(() => Promise.all(hosts.map((each) => each.stop())));
  await checkGatewayRights(nc, userOf(gatewayUrl(url)), ns, async () => {
    const service = await announce(serving, options.version, name);
    opened.push(() => service.stop().catch(() => {}));
  });
  for (const each of hosts) each.start();
  return { name, hosts, archive, ready: Promise.all(hosts.map((each) => each.ready)).then(() => {}) };
}

/** The gateway connects as a second user of the server, which an operator's own configuration may lack. */
async function connectGateway(url: string, name: string): Promise<NatsConnection> {
  const gateway = gatewayUrl(url);
  try {
    return await connectNats({ url: gateway, name, reconnect: true });
  } catch (error) {
    if (gateway === url || !(error instanceof RepriseError) || error.code !== 'PERMISSION_DENIED') throw error;
    const hint = 'A broker replies to clients as this second user: add it to the server as in nats-server.conf, with '
      + 'the password of the user broker.';
    const message = `${error.message} It is ${userOf(gateway)}, with the password of ${userOf(url)}.`;
    throw new RepriseError('PERMISSION_DENIED', message, { cause: error, hint });
  }
}

interface HostParts {
  readonly opened: Opened;
  readonly options: BrokerOptions;
  readonly name: string;
  /** For streams, leadership and facts. Nothing is published here on a subject that a client chose. */
  readonly control: NatsConnection;
  /** For requests and their replies. */
  readonly serving: Serving;
  readonly peers: NatsPeers;
  readonly topology: () => Promise<void>;
  readonly witness: Heads;
  readonly checkpoints: Heads;
  readonly keyring: Keyring;
  readonly partition: Partition;
  readonly maxCommitBytes: number;
  readonly archive: BrokerArchive;
}

async function host(parts: HostParts): Promise<PartitionHost> {
  const { options, name, control, serving, peers, topology, witness, checkpoints, keyring, partition } = parts;
  const { archive } = parts;
  const { namespace: ns, log } = options;
  const onForeign = logForeign(log, partition);
  const objects = new Objects(control, ns);
  const leadership = await openLeadership(control, {
    ns, partition, holder: name, remake: topology, onForeign: (messages) => onForeign('leadership', messages),
  });
  // Checkpoints are written on the same connection, so the server gets every fact before the checkpoint that covers it.
  const publisher = new Publisher(control);
  const projections = new Projections(partition, {
    ns, log, witness, checkpoints, onForeign, indexDir: options.indexDir,
    publish: (subject, bytes) => publisher.publish(subject, bytes),
    hasListener: () => mayListen(control, subjects.events(ns, 'job')),
    mayPublish: () => leadership.validForMs() > 0,
  });
  parts.opened.push(() => projections.runner.close());
  let stopServing = (): void => {};
  const led: PartitionHost = new PartitionHost({
    partition, kinds: options.kinds ?? KINDS, broker: name, log, clock, leadership, keyring,
    maxCommitBytes: parts.maxCommitBytes, release: options.version,
    followers: [projections.runner],
    deliverables: deliverables(COMMANDS, options.partitions),
    deliver: (to, delivery) => peers.deliver(to, delivery),
    archive: (read) => projections.archive(read),
    snapshots: new SnapshotStore(objects), objects, ...options.policies,
    projections: () => projections.watermarks,
    openJournal: () => archive.openJournal(partition), archived: archive.archived(partition),
    knownHeads: (journal) => projections.begin((seq) => journal.read(seq)),
    onHead: (head) => witness.note(storedHead(head)),
    onLeading: (_: Leader, retention) => {
      stopServing = serveLeader(serving, led);
      projections.events.lead();
      archive.lead(partition, retention);
    },
    onFollowing: () => {
      stopServing();
      projections.events.follow();
      archive.follow(partition);
    },
  });
  return led;
}

const clock = { nowMs: () => Date.now(), monoMs: () => performance.now(), draw: () => Math.random() };
