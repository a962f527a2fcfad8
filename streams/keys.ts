/**
 * The keys of a namespace, in a stream that only brokers can read. The first broker draws one. To change keys, publish
 * another one under a new id and restart the brokers: the newest key signs, all are accepted. Delete the message of an
 * old key when no lease that it signed can still be running. Workers whose session it signed register again.
 */
import { randomBytes } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/nats-core';
import type { Namespace } from '../protocols/ids.js';
import { isKeyId, Keyring, SECRET_BYTES, type NamespaceKey } from '../protocols/keyring.js';
import { streams, subjects } from '../protocols/subjects.js';
import { tryRead } from '../protocols/try-read.js';
import { storedAt } from './ack.js';
import { operating } from './connect.js';
import { readStream } from './ordered.js';

const FIRST_ID = '1';
/** More than any key of ours has. */
const MOST_BYTES = 512;
const WRITE_MS = 2_000;

/** @param onForeign called with the number of messages that were skipped because they are not keys */
export async function loadKeyring(
  nc: NatsConnection,
  ns: Namespace,
  onForeign: (messages: number) => void = () => {},
): Promise<Keyring> {
  try {
    for (;;) {
      const { keys, lastSeq, foreign } = await keysIn(nc, ns);
      const [newest, ...others] = keys;
      if (newest !== undefined) {
        if (foreign > 0) onForeign(foreign);
        return new Keyring([newest, ...others]);
      }
      await draw(nc, ns, lastSeq);
    }
  } catch (error) {
    throw operating(error, `Reading the keys of ${ns} failed`);
  }
}

/** Of two brokers that find no key, one writes first. The fence refuses the other's, which then reads that key. */
async function draw(nc: NatsConnection, ns: Namespace, lastSeq: number): Promise<void> {
  const fence = headers();
  fence.set('Nats-Expected-Last-Sequence', String(lastSeq));
  const key = JSON.stringify({ id: FIRST_ID, secret: randomBytes(SECRET_BYTES).toString('base64url') });
  storedAt(await nc.request(subjects.keys(ns), key, { headers: fence, timeout: WRITE_MS }));
}

interface StoredKeys {
  /** Newest first. */
  readonly keys: NamespaceKey[];
  readonly lastSeq: number;
  /** Number of messages that are not keys. */
  readonly foreign: number;
}

async function keysIn(nc: NatsConnection, ns: Namespace): Promise<StoredKeys> {
  const stream = `KV_${streams.keys(ns)}`;
  const { state } = await (await jetstreamManager(nc, { checkAPI: false })).streams.info(stream);
  const keys: NamespaceKey[] = [];
  let foreign = 0;
  for await (const { bytes } of readStream(nc, { stream, fromSeq: 1, untilSeq: state.last_seq })) {
    const key = keyIn(bytes);
    if (key) keys.unshift(key);
    else foreign += 1;
  }
  return { keys, lastSeq: state.last_seq, foreign };
}

function keyIn(bytes: Uint8Array): NamespaceKey | undefined {
  if (bytes.length > MOST_BYTES) return undefined;
  const found = tryRead(() => JSON.parse(Buffer.from(bytes).toString()) as { id?: unknown; secret?: unknown } | null);
  const { id, secret: text } = found ?? {};
  if (typeof id !== 'string' || !isKeyId(id) || typeof text !== 'string') return undefined;
  const secret = Buffer.from(text, 'base64url');
  return secret.length === SECRET_BYTES ? { id, secret } : undefined;
}
