/** Connections to the server, and what its client's errors mean in our words. */
import { connect } from '@nats-io/transport-node';
import { createInbox, errors, type NatsConnection, type ConnectionOptions } from '@nats-io/nats-core';
import { JetStreamApiError } from '@nats-io/jetstream';
import { RepriseError } from '../protocols/errors.js';
import { address } from './server/address.js';

export interface ConnectOptions {
  /** `nats://user:password@host:port`. Of several, separated by commas, the first one's user counts. */
  readonly url: string;
  /** For people who look at the server's list of connections. */
  readonly name: string;
  /** False for journals: with true, what the client holds while it dials again would be sent after we gave it up. */
  readonly reconnect: boolean;
  /**
   * For clients and workers: replies come to `_INBOX`, whatever the user. Only there may brokers reply to requests; the
   * inboxes of the broker's user are closed to their public face.
   */
  readonly requester?: true;
  /** Told of what the server refuses out of turn, such as a publish that this user may not make. */
  readonly onError?: (error: RepriseError) => void;
}

const DIAL_MS = 5_000;
/** Two missed pings, and a server that is gone without a word is found out. */
const PING_MS = 10_000;

export async function connectNats(options: ConnectOptions): Promise<NatsConnection> {
  const { settings, shown } = optionsOf(options);
  try {
    const nc = await connect(settings);
    const { onError } = options;
    if (onError) onRefusal(nc, (error) => onError(operating(error, 'The server refused something')));
    return nc;
  } catch (error) {
    throw refusal(error, shown);
  }
}

function optionsOf(options: ConnectOptions): { settings: ConnectionOptions; shown: string } {
  const urls = options.url.split(',').map((url) => url.trim());
  const addresses = urls.map(address);
  const servers = addresses.map((each) => each.servers);
  const settings: ConnectionOptions = {
    ...addresses[0],
    ...(options.requester && { inboxPrefix: '_INBOX' }),
    servers,
    name: options.name,
    timeout: DIAL_MS,
    pingInterval: PING_MS,
    ...(options.reconnect
      ? { reconnect: true, maxReconnectAttempts: -1, reconnectTimeWait: 100, reconnectJitter: 100 }
      : { reconnect: false }),
    ...(urls.some((url) => url.startsWith('tls://')) ? { tls: {} } : {}),
  };
  return { settings, shown: servers.join(', ') };
}

function refusal(error: unknown, shown: string): RepriseError {
  if (error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError) {
    return new RepriseError('PERMISSION_DENIED', `The server at ${shown} does not accept this user and password.`, { cause: error });
  }
  const why = error instanceof Error ? error.message : String(error);
  return new RepriseError('SERVER_UNREACHABLE', `No NATS server answers at ${shown}: ${why}.`, { cause: error });
}

/**
 * Tells what the server refuses out of turn. The client gives its statuses a way to stop, but not in their types.
 * @returns how to stop; it ends with the connection in any case
 */
export function onRefusal(nc: NatsConnection, refused: (error: Error) => void): () => void {
  const statuses = nc.status();
  void (async () => {
    for await (const status of statuses) if (status.type === 'error') refused(status.error);
  })();
  return () => (statuses as { stop?: () => void }).stop?.();
}

/** What an error of the client means in our words. @param doing the sentence's beginning: "Reading the journal failed" */
export function operating(error: unknown, doing: string): RepriseError {
  if (error instanceof RepriseError) return error;
  const cause = error instanceof errors.RequestError && error.cause instanceof Error ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  const as = (code: 'PERMISSION_DENIED' | 'SERVER_UNREACHABLE' | 'TIMED_OUT' | 'STREAM_MISMATCH' | 'DISK_FULL' | 'SERVER_FAILED', message = why): RepriseError =>
    new RepriseError(code, `${doing}: ${message}`, { cause: error });
  if (cause instanceof errors.PermissionViolationError || cause instanceof errors.AuthorizationError) return as('PERMISSION_DENIED');
  if (isNotEnabled(cause) || cause instanceof errors.NoRespondersError) {
    return as('SERVER_UNREACHABLE', 'JetStream does not answer. It is off, starting, or without a leader.');
  }
  if (cause instanceof errors.TimeoutError) return as('TIMED_OUT');
  if (isConnectionError(cause)) return as('SERVER_UNREACHABLE');
  if (isStreamNotFound(cause)) return as('STREAM_MISMATCH');
  const number = cause instanceof JetStreamApiError ? cause.apiError().err_code : 0;
  if (STORE_NOT_MADE.has(number)) return as('DISK_FULL', `${why} (${number})`);
  return as('SERVER_FAILED');
}

/** The store of a consumer or of a stream could not be made. The server keeps the reason to itself; its log has it. */
const STORE_NOT_MADE: ReadonlySet<number> = new Set([10012, 10049]);
const STREAM_NOT_FOUND = 10059;
export const isStreamNotFound = (error: unknown): boolean => error instanceof JetStreamApiError && error.apiError().err_code === STREAM_NOT_FOUND;

const isConnectionError = (error: unknown): boolean =>
  error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError ||
  error instanceof errors.ConnectionError || error instanceof errors.RequestError;

/** A fresh inbox where this connection's user may listen. The client keeps the prefix, but does not say so in its types. */
export function inboxOf(nc: NatsConnection): string {
  return createInbox((nc as NatsConnection & { options?: { inboxPrefix?: string } }).options?.inboxPrefix);
}

/** The client exports every error of JetStream but this one. */
const isNotEnabled = (error: unknown): boolean => error instanceof Error && error.name === 'JetStreamNotEnabled';
