/**
 * The keys of a namespace, in a bucket that only brokers can read. The first broker draws one. To change keys, put another
 * one under a new id and restart the brokers: the newest signs, all are accepted. Delete an old one when no lease that it
 * signed can be running; a worker whose session it signed registers again by itself.
 */
import { randomBytes } from 'node:crypto';
import { jetstream } from '@nats-io/jetstream';
import { Kvm, type KV } from '@nats-io/kv';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Namespace } from '../protocols/ids.js';
import { isKeyId, Keyring, SECRET_BYTES, type NamespaceKey } from '../protocols/keyring.js';
import { streams } from '../protocols/subjects.js';
import { operating } from './connect.js';

const FIRST_ID = '1';

interface Kept extends NamespaceKey {
  readonly revision: number;
}

/** @param onForeign told of an entry that is no key; it is skipped */
export async function loadKeyring(nc: NatsConnection, ns: Namespace, onForeign: (id: string) => void = () => {}): Promise<Keyring> {
  try {
    const kv = await new Kvm(jetstream(nc)).open(streams.keys(ns), { allow_direct: false });
    let [newest, ...others] = await keysIn(kv, onForeign);
    if (newest === undefined) {
      await draw(kv);
      [newest, ...others] = await keysIn(kv, onForeign);
    }
    if (newest === undefined) throw new Error(`what lies under the id ${FIRST_ID} is no key`);
    return new Keyring([newest, ...others]);
  } catch (error) {
    throw operating(error, `Reading the keys of ${ns} failed`);
  }
}

/** Of two brokers that find none, one is faster; both read what it has written. */
async function draw(kv: KV): Promise<void> {
  await kv.create(FIRST_ID, JSON.stringify({ secret: randomBytes(SECRET_BYTES).toString('base64url') })).catch(() => undefined);
}

async function keysIn(kv: KV, onForeign: (id: string) => void): Promise<Kept[]> {
  const ids: string[] = [];
  for await (const id of await kv.keys()) ids.push(id);
  const found: Kept[] = [];
  for (const id of ids) {
    const entry = await kv.get(id);
    if (entry === null || entry.operation !== 'PUT') continue;
    const secret = isKeyId(id) ? secretIn(entry.string()) : undefined;
    if (secret) found.push({ id, secret, revision: entry.revision });
    else onForeign(id);
  }
  return found.sort((a, b) => b.revision - a.revision);
}

function secretIn(text: string): Uint8Array | undefined {
  try {
    const { secret } = JSON.parse(text) as { secret?: unknown };
    const bytes = typeof secret === 'string' ? Buffer.from(secret, 'base64url') : undefined;
    return bytes?.length === SECRET_BYTES ? bytes : undefined;
  } catch {
    return undefined;
  }
}
