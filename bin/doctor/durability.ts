/** Finds the durability of the server, which only its monitoring address shows, if that address is the server's. */
import type { NatsConnection } from '@nats-io/nats-core';
import { serverFacts, type ServerFacts } from '../../streams/server/varz.js';
import { findDevFile } from '../dev-file.js';
import { ok, warn, type Finding } from './finding.js';

const HINT = "Give the server's monitoring address (http: in its configuration): --monitoring http://127.0.0.1:8222.";

export interface Monitored {
  /** From --monitoring, otherwise from the `reprise dev` of this folder. */
  readonly address: string | undefined;
  readonly isGiven: boolean;
  /** Only if the address is that of the server to which this command is connected. */
  readonly facts: ServerFacts | undefined;
  readonly isAnother: boolean;
}

export async function monitoringOf(nc: NatsConnection, given: string | undefined): Promise<Monitored> {
  const address = (given ?? findDevFile(process.cwd())?.monitoring)?.replace(/\/+$/, '');
  const found = address === undefined ? undefined : await serverFacts(address).catch(() => undefined);
  const facts = found && isOf(nc, found) ? found : undefined;
  return { address, isGiven: given !== undefined, facts, isAnother: found !== undefined && facts === undefined };
}

export function durabilityFinding({ address, isGiven, facts, isAnother }: Monitored): Finding {
  if (facts) return levelOf(facts);
  if (!isGiven) return warn('durability', 'unverified', HINT);
  const why = isAnother ? 'is the address of another server' : 'does not answer as the monitoring of a nats-server';
  return warn('durability', `unverified: ${address} ${why}`, HINT);
}

function levelOf({ durability }: ServerFacts): Finding {
  if (durability === 'fsync') return ok('durability', 'fsync before every acknowledgement');
  const hint = 'Set sync_interval: always in jetstream {} of nats-server.conf.';
  return warn('durability', 'relaxed: a power cut may lose the last acknowledged commits', hint);
}

/** In a cluster the connection may be to any of its servers. */
function isOf({ info }: NatsConnection, { id }: ServerFacts): boolean {
  return id !== '' && (id === info?.server_id || info?.cluster !== undefined);
}
