/** How durable the server is, which only its monitoring address tells, and whose address that is. */
import type { NatsConnection } from '@nats-io/nats-core';
import { serverFacts, type ServerFacts } from '../../streams/server/varz.js';
import { findDevFile } from '../dev-file.js';
import { ok, warn, type Finding } from './finding.js';

const GIVE_IT = 'Give the address of the server that has http: in its configuration: --monitoring http://127.0.0.1:8222.';

/** @param given by --monitoring; without it, that of the `reprise dev` of this folder, if that runs the very server of `nc` */
export async function durabilityFinding(nc: NatsConnection, given: string | undefined): Promise<Finding> {
  const address = given ?? findDevFile(process.cwd())?.monitoring;
  const facts = address === undefined ? undefined : await factsAt(address);
  if (facts && isOf(nc, facts)) return levelOf(facts);
  if (given === undefined) return warn('durability', 'unverified', GIVE_IT);
  return warn('durability', `unverified: ${given} ${facts ? 'is that of another server' : 'does not answer as the monitoring of a nats-server'}`, GIVE_IT);
}

function levelOf({ durability }: ServerFacts): Finding {
  if (durability === 'fsync') return ok('durability', 'fsync before every acknowledgement');
  return warn('durability', 'relaxed: a power cut may lose what was acknowledged just before', 'Set sync_interval: always in jetstream {} of nats-server.conf.');
}

/** In a cluster any of its servers may be the one that is connected to. */
function isOf({ info }: NatsConnection, { id }: ServerFacts): boolean {
  return id !== '' && (id === info?.server_id || info?.cluster !== undefined);
}

async function factsAt(address: string): Promise<ServerFacts | undefined> {
  try {
    return await serverFacts(address.replace(/\/+$/, ''));
  } catch {
    return undefined;
  }
}
