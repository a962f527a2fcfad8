/** Which brokers answer on $SRV.PING. */
import type { NatsConnection } from '@nats-io/nats-core';
import type { Namespace } from '../../protocols/ids.js';
import { fail, ok, type Finding } from './finding.js';

interface Pong {
  readonly name?: string;
  readonly version?: string;
  readonly metadata?: { readonly namespace?: string; readonly broker?: string };
}

/** Every broker answers for itself; nobody can tell how many there are, so they are given this long. */
const ANSWER_WITHIN_MS = 500;

export async function brokerFindings(nc: NatsConnection, ns: Namespace): Promise<Finding[]> {
  const pongs = await ping(nc);
  const here = pongs.filter(({ metadata }) => metadata?.namespace === ns);
  const elsewhere = [...new Set(pongs.map(({ metadata }) => metadata?.namespace ?? '').filter((name) => name !== '' && name !== ns))];
  if (here.length > 0) return [ok('brokers', here.map(({ metadata, version }) => `${metadata?.broker ?? 'unnamed'} (${version ?? 'unknown version'})`).join(', '))];
  const others = elsewhere.length > 0 ? `, but of ${elsewhere.join(', ')}` : '';
  return [fail('brokers', `none of the namespace ${ns}${others}`, 'Start one: `reprise broker` or `reprise dev`, or give another --namespace.')];
}

async function ping(nc: NatsConnection): Promise<Pong[]> {
  const pongs: Pong[] = [];
  try {
    for await (const message of await nc.requestMany('$SRV.PING.reprise', '', { strategy: 'timer', maxWait: ANSWER_WITHIN_MS })) {
      if (message.data.length > 0) pongs.push(message.json<Pong>());
    }
  } catch {
    // Nobody listens.
  }
  return pongs;
}
