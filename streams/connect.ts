/** Connections to the server, and how errors of its client become errors of ours. */
import { JetStreamApiError } from '@nats-io/jetstream';
import { createInbox, errors, type NatsConnection, type ConnectionOptions } from '@nats-io/nats-core';
import { connect } from '@nats-io/transport-node';
import { messageOf, RepriseError, type OperatingCode } from '../protocols/errors.js';
import { address } from './server/address.js';

export interface ConnectOptions {
  /** `nats://user:password@host:port`, or several of them separated by commas; the user of the first one is used. */
  readonly url: string;
  /** Shown in the server's list of connections. */
  readonly name: string;
  /** False for journals: after a reconnect the client would send what it still holds, after we gave it up. */
  readonly reconnect: boolean;
  /**
   * For clients and workers: replies go to `_INBOX`, whatever the user. Brokers answer requests as the user `gateway`,
   * which may not publish to the inboxes of the user `broker`.
   */
  readonly requester?: true;
  /** Called for errors that the server reports by themselves, such as a publish that this user may not make. */
  readonly onError?: (error: RepriseError) => void;
}

const DIAL_MS = 5_000;
/** A server that is gone without closing the connection is detected after two missed pings. */
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
    const message = `The server at ${shown} does not accept this user and password.`;
    return new RepriseError('PERMISSION_DENIED', message, { cause: error });
  }
  const message = `No NATS server answers at ${shown}: ${messageOf(error)}.`;
  return new RepriseError('SERVER_UNREACHABLE', message, { cause: error });
}

/**
 * Calls `refused` for every error that the server reports without a request, until the returned function is called or
 * the connection ends. The client's statuses can be stopped, but their type does not say so.
 */
export function onRefusal(nc: NatsConnection, refused: (error: Error) => void): () => void {
  const statuses = nc.status();
  void (async () => {
    for await (const status of statuses) if (status.type === 'error') refused(status.error);
  })();
  return () => (statuses as { stop?: () => void }).stop?.();
}

/** An error of the client as one of ours. @param doing what failed, such as "Reading the journal failed" */
export function operating(error: unknown, doing: string): RepriseError {
  if (error instanceof RepriseError) return error;
  const cause = error instanceof errors.RequestError && error.cause instanceof Error ? error.cause : error;
  const why = messageOf(cause);
  const as = (code: OperatingCode, message = why): RepriseError =>
    new RepriseError(code, `${doing}: ${message}`, { cause: error });
  if (cause instanceof errors.PermissionViolationError || cause instanceof errors.AuthorizationError) {
    return as('PERMISSION_DENIED');
  }
  if (isNotEnabled(cause) || cause instanceof errors.NoRespondersError) {
    return as('SERVER_UNREACHABLE', 'JetStream does not reply. It is off, starting, or without a leader.');
  }
  if (cause instanceof errors.TimeoutError) return as('TIMED_OUT');
  if (isConnectionError(cause)) return as('SERVER_UNREACHABLE');
  if (isStreamNotFound(cause)) return as('STREAM_MISMATCH');
  const number = cause instanceof JetStreamApiError ? cause.apiError().err_code : 0;
  if (STORE_NOT_MADE.has(number)) return as('DISK_FULL', `${why} (${number})`);
  return as('SERVER_FAILED');
}

/** The store of a consumer or of a stream could not be made. Only the log of the server says why. */
const STORE_NOT_MADE: ReadonlySet<number> = new Set([10012, 10049]);
const STREAM_NOT_FOUND = 10059;
export const isStreamNotFound = (error: unknown): boolean =>
  error instanceof JetStreamApiError && error.apiError().err_code === STREAM_NOT_FOUND;

const isConnectionError = (error: unknown): boolean =>
  error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError ||
  error instanceof errors.ConnectionError || error instanceof errors.RequestError;

/** A new inbox that this connection's user may subscribe to. The client's type does not show the prefix that it has. */
export function inboxOf(nc: NatsConnection): string {
  return createInbox((nc as NatsConnection & { options?: { inboxPrefix?: string } }).options?.inboxPrefix);
}

/** The client does not export this class. */
const isNotEnabled = (error: unknown): boolean => error instanceof Error && error.name === 'JetStreamNotEnabled';
