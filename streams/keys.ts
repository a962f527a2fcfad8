/**
 * The keys of a namespace, in a stream that only brokers can read. The first broker draws one. To change keys, publish
 * another one under a new id and restart the brokers: the newest signs, all are accepted. Delete the message of an old one
 * when no lease that it signed can be running; a worker whose session it signed registers again by itself.
 */
import { randomBytes } from 'node:crypto';
import { JetStreamApiError, jetstreamManager, type ApiError } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/nats-core';
import type { Namespace } from '../protocols/ids.js';
import { isKeyId, Keyring, SECRET_BYTES, type NamespaceKey } from '../protocols/keyring.js';
import { streams, subjects } from '../protocols/subjects.js';
import { isWrongLastSequence } from './ack.js';
import { operating } from './connect.js';
import { readStream } from './ordered.js';

const FIRST_ID = '1';
const MOST_BYTES = 512;
const WRITE_MS = 2_000;

/** @param onForeign told how many messages of the stream are no keys; they are skipped */
export async function loadKeyring(nc: NatsConnection, ns: Namespace, onForeign: (messages: number) => void = () => {}): Promise<Keyring> {
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

/** Of two brokers that find none, one is faster: the other's is refused, because it expects the stream as it was. */
async function draw(nc: NatsConnection, ns: Namespace, lastSeq: number): Promise<void> {
  const fence = headers();
  fence.set('Nats-Expected-Last-Sequence', String(lastSeq));
  const key = JSON.stringify({ id: FIRST_ID, secret: randomBytes(SECRET_BYTES).toString('base64url') });
  const { error } = (await nc.request(subjects.keys(ns), key, { headers: fence, timeout: WRITE_MS })).json<{ error?: ApiError }>();
  if (error && !isWrongLastSequence(error.err_code)) throw new JetStreamApiError(error);
}

/** Newest first. */
async function keysIn(nc: NatsConnection, ns: Namespace): Promise<{ keys: NamespaceKey[]; lastSeq: number; foreign: number }> {
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
  try {
    const { id, secret: text } = JSON.parse(Buffer.from(bytes).toString()) as { id?: unknown; secret?: unknown };
    if (typeof id !== 'string' || !isKeyId(id) || typeof text !== 'string') return undefined;
    const secret = Buffer.from(text, 'base64url');
    return secret.length === SECRET_BYTES ? { id, secret } : undefined;
  } catch {
    return undefined;
  }
}
