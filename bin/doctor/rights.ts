/** Checks that ordinary users may not send requests to the server: they could direct its replies into streams. */
import { errors, type NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../../protocols/errors.js';
import { connectNats, operating } from '../../streams/connect.js';
import { withoutBroker } from '../locate.js';
import { ok, warn, type Finding } from './finding.js';

const WITHIN_MS = 2_000;
const HINT =
  'Any user can stop the namespace this way (docs/adr/0010). Set the permissions of the server as in nats-server.conf.';

export async function rightsFinding(url: string): Promise<Finding> {
  let nc: NatsConnection | undefined;
  try {
    nc = await connectNats({ url: withoutBroker(url), name: 'reprise doctor', reconnect: false, requester: true });
    await nc.request('$JS.API.INFO', '', { timeout: WITHIN_MS });
    return warn('rights', 'ordinary users may send requests to the server itself ($JS.>)', HINT);
  } catch (error) {
    const isDenied = error instanceof RepriseError && error.code === 'PERMISSION_DENIED';
    if (nc === undefined && isDenied) return ok('rights', 'only users with a password may connect');
    if (error instanceof errors.NoRespondersError) return warn('rights', 'unverified: JetStream does not reply', HINT);
    const { code, message } = operating(error, 'A request as an ordinary user failed');
    if (code === 'PERMISSION_DENIED') return ok('rights', 'ordinary users may not send requests to the server');
    return warn('rights', message, HINT);
  } finally {
    await nc?.close();
  }
}
