/** Finds the brokers that answer on $SRV.PING. */
import type { NatsConnection } from '@nats-io/nats-core';
import type { Namespace } from '../../protocols/ids.js';
import { fail, ok, type Finding } from './finding.js';

interface Pong {
  readonly name?: string;
  readonly version?: string;
  readonly metadata?: { readonly namespace?: string; readonly broker?: string };
}

/** The number of brokers is unknown, so replies are collected for this long. */
const REPLY_WITHIN_MS = 500;

export async function brokerFindings(nc: NatsConnection, ns: Namespace): Promise<Finding[]> {
  const pongs = await ping(nc);
  const here = pongs.filter(({ metadata }) => metadata?.namespace === ns);
  if (here.length > 0) return [ok('brokers', here.map(nameOf).join(', '))];
  const namespaces = new Set(pongs.flatMap(({ metadata }) => metadata?.namespace || []));
  const others = namespaces.size > 0 ? `; there are brokers of ${[...namespaces].join(', ')}` : '';
  const hint = 'Start one: `reprise broker` or `reprise dev`, or give another --namespace.';
  return [fail('brokers', `none of the namespace ${ns}${others}`, hint)];
}

const nameOf = ({ metadata, version }: Pong): string =>
  `${metadata?.broker ?? 'unnamed'} (${version ?? 'unknown version'})`;

async function ping(nc: NatsConnection): Promise<Pong[]> {
  const pongs: Pong[] = [];
  try {
    const replies = await nc.requestMany('$SRV.PING.reprise', '', { strategy: 'timer', maxWait: REPLY_WITHIN_MS });
    for await (const message of replies) {
      if (message.data.length > 0) pongs.push(message.json<Pong>());
    }
  } catch {
    // No responders: there is no broker.
  }
  return pongs;
}
