/** How durable the server is, which only its monitoring address tells, and whose address that is. */
import type { NatsConnection } from '@nats-io/nats-core';
import { serverFacts, type ServerFacts } from '../../streams/server/varz.js';
import { findDevFile } from '../dev-file.js';
import { ok, warn, type Finding } from './finding.js';

const GIVE_IT = 'Give the address of the server that has http: in its configuration: --monitoring http://127.0.0.1:8222.';

export interface Monitored {
  /** By --monitoring; without it, of the `reprise dev` of this folder. */
  readonly address: string | undefined;
  readonly isGiven: boolean;
  /** What it says, if it is the address of the very server that is asked. */
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
  if (!isGiven) return warn('durability', 'unverified', GIVE_IT);
  return warn('durability', `unverified: ${address} ${isAnother ? 'is that of another server' : 'does not answer as the monitoring of a nats-server'}`, GIVE_IT);
}

function levelOf({ durability }: ServerFacts): Finding {
  if (durability === 'fsync') return ok('durability', 'fsync before every acknowledgement');
  return warn('durability', 'relaxed: a power cut may lose what was acknowledged just before', 'Set sync_interval: always in jetstream {} of nats-server.conf.');
}

/** In a cluster any of its servers may be the one that is connected to. */
function isOf({ info }: NatsConnection, { id }: ServerFacts): boolean {
  return id !== '' && (id === info?.server_id || info?.cluster !== undefined);
}
