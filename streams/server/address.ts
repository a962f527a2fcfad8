/** How to connect to a server: nats.js takes no name and password from an address, so they are taken out here. */
import { RepriseError } from '../../protocols/errors.js';

/**
 * Brokers receive answers below prefixes of their own, which nats-server.conf closes to everybody else: whoever could
 * write there could forge the journal's acknowledgements, or another broker's answer.
 */
export const BROKER_INBOX = '_INBOX_BROKER';
const BROKER = 'broker';
const GATEWAY = 'gateway';
const GATEWAY_INBOX = '_INBOX_GATEWAY';
const INBOXES: Readonly<Record<string, string>> = { [BROKER]: BROKER_INBOX, [GATEWAY]: GATEWAY_INBOX };

/** Whether a subject is an inbox where only brokers wait for replies. */
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

/** The address of a broker's public face: the user `gateway` in place of `broker`, any other user as it is. */
export function gatewayUrl(url: string): string {
  return url.split(',').map((each) => each.trim().replace(`//${BROKER}:`, `//${GATEWAY}:`)).join(',');
}

/** For people: who a connection to this address is. Of several addresses, the first one's user counts. */
export function userOf(url: string): string {
  const { user, token } = address(url.split(',')[0]!.trim());
  if (user !== undefined) return `the user ${user}`;
  return token === undefined ? 'a user without a name' : 'the owner of the token';
}

function parse(url: string): URL {
  const text = /^[a-z]+:\/\//i.test(url) ? url : `nats://${url}`;
  if (URL.canParse(text)) return new URL(text);
  const hint = 'An address looks like nats://127.0.0.1:4222 or nats://broker:password@host:4222.';
  throw new RepriseError('SERVER_UNREACHABLE', 'The address of the NATS server cannot be understood.', { hint, retryable: false });
}
