/** What becomes of the worker's connection, as events of its actor. */
import type { NatsConnection } from '@nats-io/transport-node';

export async function watchConnection(connection: NatsConnection, tell: (type: 'Disconnected' | 'Reconnected') => void): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') tell('Disconnected');
    else if (status.type === 'reconnect') tell('Reconnected');
  }
}
