/** How to connect to a server: nats.js takes no name and password from an address, so they are taken out here. */
import { RepriseError } from '../../protocols/errors.js';

/**
 * Brokers receive answers below this prefix, which nats-server.conf closes to everybody else: whoever could write there
 * could forge the journal's acknowledgements.
 */
export const BROKER_INBOX = '_INBOX_BROKER';
const BROKER = 'broker';

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
  return { servers, user, pass, ...(user === BROKER && { inboxPrefix: BROKER_INBOX }) };
}

function parse(url: string): URL {
  const text = /^[a-z]+:\/\//i.test(url) ? url : `nats://${url}`;
  if (URL.canParse(text)) return new URL(text);
  const hint = 'An address looks like nats://127.0.0.1:4222 or nats://broker:password@host:4222.';
  throw new RepriseError('SERVER_UNREACHABLE', 'The address of the NATS server cannot be understood.', { hint, retryable: false });
}
