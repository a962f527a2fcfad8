/** Has the leader take a snapshot now, and says what that took by its log. */
import { connectClient } from '../../sdk/client.js';
import { takeSnapshots } from '../../sdk/snapshots.js';
import type { Forked } from '../processes/forked.js';
import { NAMESPACE } from '../reprise/reprise.calls.js';
import type { BrokerCalls } from './calls.js';
import { loggedBy, type Stage } from './stage.js';

export interface Taken {
  readonly bytes: number;
  readonly frozeMs: number;
  readonly tookMs: number;
}

export async function takeSnapshot(stage: Stage, broker: Forked<BrokerCalls>): Promise<Taken> {
  const client = await connectClient({ url: stage.server.brokerUrl, namespace: NAMESPACE });
  try {
    const [taken] = await takeSnapshots(client);
    if (taken?.error) throw new Error(`The snapshot was not taken: ${taken.error.message}`);
  } finally {
    await client.close();
  }
  const line = (await loggedBy(broker)).findLast(({ msg }) => msg === 'snapshot');
  if (line === undefined) throw new Error('The log of the broker names no snapshot.');
  const { bytes = 0, frozeMs = 0, tookMs = 0 } = line;
  return { bytes, frozeMs, tookMs };
}
