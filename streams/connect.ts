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
    if (options.onError) void watch(nc, options.onError);
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

async function watch(nc: NatsConnection, onError: (error: RepriseError) => void): Promise<void> {
  for await (const status of nc.status()) {
    if (status.type === 'error') onError(operating(status.error, 'The server refused something'));
  }
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
  const number = cause instanceof JetStreamApiError ? cause.apiError().err_code : 0;
  if (number === STREAM_NOT_FOUND) return as('STREAM_MISMATCH');
  if (STORE_NOT_MADE.has(number)) return as('DISK_FULL', `${why} (${number})`);
  return as('SERVER_FAILED');
}

export const STREAM_NOT_FOUND = 10059;
/** The store of a consumer or of a stream could not be made. The server keeps the reason to itself; its log has it. */
const STORE_NOT_MADE: ReadonlySet<number> = new Set([10012, 10049]);

const isConnectionError = (error: unknown): boolean =>
  error instanceof errors.ClosedConnectionError || error instanceof errors.DrainingConnectionError ||
  error instanceof errors.ConnectionError || error instanceof errors.RequestError;

/** A fresh inbox where this connection's user may listen. The client keeps the prefix, but does not say so in its types. */
export function inboxOf(nc: NatsConnection): string {
  return createInbox((nc as NatsConnection & { options?: { inboxPrefix?: string } }).options?.inboxPrefix);
}

/** The client exports every error of JetStream but this one. */
const isNotEnabled = (error: unknown): boolean => error instanceof Error && error.name === 'JetStreamNotEnabled';
