/** Addresses of servers. nats.js takes no user and password from a URL, so they are separated from it here. */
import { RepriseError } from '../../protocols/errors.js';

const BROKER = 'broker';
const GATEWAY = 'gateway';
/**
 * Brokers receive replies below prefixes of their own, to which nats-server.conf lets no other user publish. Otherwise
 * acknowledgements of the journal and replies of other brokers could be forged.
 */
const BROKER_INBOX = '_INBOX_BROKER';
const GATEWAY_INBOX = '_INBOX_GATEWAY';
const INBOXES: Readonly<Record<string, string>> = { [BROKER]: BROKER_INBOX, [GATEWAY]: GATEWAY_INBOX };

/** Whether a subject is an inbox of a broker. */
export const isBrokersInbox = (subject: string): boolean =>
  subject.startsWith(`${BROKER_INBOX}.`) || subject.startsWith(`${GATEWAY_INBOX}.`);

export interface Address {
  readonly servers: string;
  readonly user?: string;
  readonly pass?: string;
  readonly token?: string;
  readonly inboxPrefix?: string;
}

/** Options for `connect` of nats.js, from `nats://user:password@host:port`. */
export function address(url: string): Address {
  const parsed = parse(url);
  const servers = `${parsed.protocol}//${parsed.host}`;
  const [user, pass] = [decodeURIComponent(parsed.username), decodeURIComponent(parsed.password)];
  if (!user) return { servers };
  if (!pass) return { servers, token: user };
  const inboxPrefix = INBOXES[user];
  return { servers, user, pass, ...(inboxPrefix !== undefined && { inboxPrefix }) };
}

/** The address for the connection that answers clients: the user `broker` becomes `gateway`, others stay. */
export function gatewayUrl(url: string): string {
  return url.split(',').map((each) => each.trim().replace(`//${BROKER}:`, `//${GATEWAY}:`)).join(',');
}

/** For messages: the user of this address. Of several addresses, the user of the first one. */
export function userOf(url: string): string {
  const { user, token } = address(url.split(',')[0]!.trim());
  if (user !== undefined) return `the user ${user}`;
  return token === undefined ? 'a user without a name' : 'a user with a token';
}

function parse(url: string): URL {
  const text = /^[a-z]+:\/\//i.test(url) ? url : `nats://${url}`;
  if (URL.canParse(text)) return new URL(text);
  // The address may hold a password, so the message does not repeat it.
  const message = 'The address of the NATS server is not a valid URL.';
  const hint = 'An address looks like nats://127.0.0.1:4222 or nats://broker:password@host:4222.';
  throw new RepriseError('SERVER_UNREACHABLE', message, { hint, retryable: false });
}
