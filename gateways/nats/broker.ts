/** A broker: leads partitions when it can, runs their projections, and answers the public subjects. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Logger } from 'pino';
import type { Leader } from '../../actors/partition/leader.js';
import { PartitionHost } from '../../actors/partition/host.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import type { Keyring } from '../../protocols/keyring.js';
import { LIMITS } from '../../protocols/limits.js';
import { subjects } from '../../protocols/subjects.js';
import { connectNats } from '../../streams/connect.js';
import { keptHead } from '../../streams/head.js';
import { openCheckpoints, openWitness, type Heads } from '../../streams/heads.js';
import { openJournal } from '../../streams/jetstream.js';
import { mayListen } from '../../streams/listeners.js';
import { loadKeyring } from '../../streams/keys.js';
import { LeaderLease } from '../../streams/leader-lease.js';
import { gatewayUrl } from '../../streams/server/address.js';
import { Publisher } from '../../streams/publisher.js';
import { ensureTopology } from '../../streams/topology.js';
import { Identities } from './identities.js';
import { Projections, strangers } from './projections.js';
import { Router } from './router.js';
import { announce, serveLeader } from './service.js';

export interface BrokerOptions {
  /** With the broker user's name and password, where the server has one. */
  readonly url: string;
  readonly namespace: Namespace;
  readonly partitions: number;
  readonly replicas?: number;
  readonly version: string;
  readonly log: Logger;
}

export interface Broker {
  readonly name: string;
  /** Resolves when every partition has a leader, here or elsewhere. */
  readonly ready: Promise<void>;
  readonly hosts: readonly PartitionHost[];
  stop(): Promise<void>;
}

const ENVELOPE_BYTES = 4_096;

export async function startBroker(options: BrokerOptions): Promise<Broker> {
  const { url, namespace: ns, log } = options;
  const name = `${hostname().replaceAll(/[^A-Za-z0-9_-]/g, '-')}-${process.pid}-${randomBytes(2).toString('hex')}`;
  const control = await connectNats({ url, name: `reprise broker ${name}`, reconnect: true });
  const topology = (): Promise<void> => ensureTopology(control, ns, options.partitions, { replicas: options.replicas ?? 1 });
  await topology();
  const nc = await connectNats({ url: gatewayUrl(url), name: `reprise gateway ${name}`, reconnect: true });
  const witness = openWitness(control, ns, { onError: (error) => log.warn({ err: error }, 'a head could not be witnessed') });
  const checkpoints = openCheckpoints(control, ns, { onError: (error) => log.warn({ err: error }, 'a checkpoint could not be written') });
  const hosts: PartitionHost[] = [];
  const keyring = await loadKeyring(control, ns, (id) => log.warn({ id }, 'an entry of the bucket of keys is no key; it is skipped'));
  const router = new Router(nc, ns, hosts, new Identities(keyring), (verb, rejection) => log.debug({ verb, ...rejection }, 'refused'));
  for (let n = 0; n < options.partitions; n += 1) {
    hosts.push(await host({ options, name, control, nc, topology, witness, checkpoints, router, keyring, partition: n as Partition }));
  }
  const service = await announce(nc, ns, options.version, name, router);
  for (const each of hosts) each.start();
  const stop = async (): Promise<void> => {
    await service.stop().catch(() => {});
    await Promise.all(hosts.map((each) => each.stop()));
    await Promise.all([witness.close(), checkpoints.close()]);
    await Promise.all([nc.close(), control.close()]);
  };
  return { name, hosts, ready: Promise.all(hosts.map((each) => each.ready)).then(() => {}), stop };
}

interface HostParts {
  readonly options: BrokerOptions;
  readonly name: string;
  /** For streams, leases and facts; nothing whose subject a requester chose is ever published here. */
  readonly control: NatsConnection;
  /** For requests and their replies. */
  readonly nc: NatsConnection;
  readonly topology: () => Promise<void>;
  readonly witness: Heads;
  readonly checkpoints: Heads;
  readonly router: Router;
  readonly keyring: Keyring;
  readonly partition: Partition;
}

async function host({ options, name, control, nc, topology, witness, checkpoints, router, keyring, partition }: HostParts): Promise<PartitionHost> {
  const { namespace: ns, url, log } = options;
  const onForeign = strangers(log, partition);
  const lease = await LeaderLease.open(control, { ns, partition, holder: name, remake: topology, onForeign: (messages) => onForeign('leases', messages) });
  // Checkpoints are written on the same connection, so the server has every fact before the checkpoint that covers it.
  const publisher = new Publisher(control);
  const projections = new Projections(partition, {
    ns, log, witness, checkpoints, onForeign,
    publish: (subject, parts) => publisher.publish(subject, parts),
    anybody: () => mayListen(control, subjects.events(ns, 'job')),
    mayPublish: () => lease.validForMs() > 0,
  });
  let stopServing = (): void => {};
  return new PartitionHost({
    partition, broker: name, log, clock, lease, keyring,
    maxCommitBytes: Math.min(LIMITS.commitBytes, (nc.info?.max_payload ?? LIMITS.requestBytes) - ENVELOPE_BYTES),
    followers: [projections.runner],
    archive: (read) => projections.archive(read),
    openJournal: () => openJournal({ url, ns, partition }),
    knownHeads: () => projections.begin(),
    onHead: (head) => witness.note(keptHead(head)),
    onLeading: (_: Leader) => {
      stopServing = serveLeader(nc, ns, partition, router);
      projections.events.lead();
    },
    onFollowing: () => {
      stopServing();
      projections.events.follow();
    },
  });
}

const clock = { nowMs: () => Date.now(), monoMs: () => performance.now(), draw: () => Math.random() };
