/** Whether a subject has listeners. The server does not tell a publisher, but the broker's user may ask for it. */
import type { NatsConnection } from '@nats-io/nats-core';

/** Connections of our own account. Every server of a cluster replies for its own connections. */
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
 * False only if it is certain that no connection and no stream of this account takes in messages on `subject`. In a
 * cluster that is never certain, because the number of servers that will reply is not known.
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
