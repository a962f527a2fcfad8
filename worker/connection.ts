/** Turns status changes of the worker's connection into events of its actor. */
import type { NatsConnection } from '@nats-io/transport-node';

export type ConnectionEvent = 'Disconnected' | 'Reconnected';

export async function watchConnection(
  connection: NatsConnection,
  onEvent: (type: ConnectionEvent) => void,
): Promise<void> {
  for await (const status of connection.status()) {
    if (status.type === 'disconnect') onEvent('Disconnected');
    else if (status.type === 'reconnect') onEvent('Reconnected');
  }
}
