/** Whether ordinary users are kept from asking the server itself: its answers could be directed into our streams. */
import { errors, type NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../../protocols/errors.js';
import { connectNats, operating } from '../../streams/connect.js';
import { withoutBroker } from '../locate.js';
import { ok, warn, type Finding } from './finding.js';

const WITHIN_MS = 2_000;
const HINT = 'Whoever connects can stop the namespace (docs/adr/0010). Bring the permissions of the server up to date with nats-server.conf.';

export async function rightsFinding(url: string): Promise<Finding> {
  let nc: NatsConnection | undefined;
  try {
    nc = await connectNats({ url: withoutBroker(url), name: 'reprise doctor', reconnect: false, requester: true });
    await nc.request('$JS.API.INFO', '', { timeout: WITHIN_MS });
    return warn('rights', 'ordinary users may ask the server itself ($JS.>)', HINT);
  } catch (error) {
    if (nc === undefined && error instanceof RepriseError && error.code === 'PERMISSION_DENIED') return ok('rights', 'only users with a name of their own may connect');
    if (error instanceof errors.NoRespondersError) return warn('rights', 'JetStream does not answer, so it cannot be told', HINT);
    const { code, message } = operating(error, 'Asking as an ordinary user failed');
    if (code === 'PERMISSION_DENIED') return ok('rights', 'ordinary users may ask the server nothing');
    return warn('rights', message, HINT);
  } finally {
    await nc?.close();
  }
}
