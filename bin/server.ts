/** A connection as the user of brokers, for the duration of one command. */
import type { NatsConnection } from '@nats-io/nats-core';
import { connectNats } from '../streams/connect.js';
import type { Where } from './arguments.js';
import { locateForBroker, type Located } from './locate.js';

export interface OnServer extends Pick<Located, 'url' | 'namespace'> {
  readonly nc: NatsConnection;
}

/** @throws RepriseError SERVER_UNREACHABLE, PERMISSION_DENIED, and what `use` throws */
export async function onServer<T>(where: Where, name: string, use: (at: OnServer) => Promise<T>): Promise<T> {
  const { url, namespace } = locateForBroker(where);
  const nc = await connectNats({ url, name: `reprise ${name}`, reconnect: false });
  try {
    return await use({ nc, url, namespace });
  } finally {
    await nc.close();
  }
}
