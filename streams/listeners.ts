/** Whether anybody listens to a subject, as the server knows it: the server tells no client by itself, but the broker's user may ask. */
import type { NatsConnection } from '@nats-io/nats-core';

/** Connections of the asker's own account. Every server in reach answers for its own. */
const CONNECTIONS = '$SYS.REQ.ACCOUNT.PING.CONNZ';
const STREAMS = '$JS.API.STREAM.NAMES';
const WITHIN_MS = 1_000;

interface Connections {
  readonly data?: { readonly num_connections?: unknown };
}
interface Streams {
  readonly total?: unknown;
}

/**
 * False only if it is certain that nobody in this account listens: no connection and no stream takes anything in on
 * `subject`. In a cluster others answer for themselves, and nobody knows when all have; then somebody may.
 */
export async function mayListen(nc: NatsConnection, subject: string): Promise<boolean> {
  if (nc.info?.cluster !== undefined) return true;
  const ask = async <T>(api: string, question: object): Promise<T> =>
    (await nc.request(api, JSON.stringify(question), { timeout: WITHIN_MS })).json<T>();
  try {
    const [connections, streams] = await Promise.all([
      ask<Connections>(CONNECTIONS, { filter_subject: subject, limit: 1 }),
      ask<Streams>(STREAMS, { subject }),
    ]);
    return connections.data?.num_connections !== 0 || streams.total !== 0;
  } catch {
    return true;
  }
}
