/** What the server's reply to a publish into a stream says. */
import { JetStreamApiError, type ApiError } from '@nats-io/jetstream';
import type { Msg } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import { tryRead } from '../protocols/try-read.js';
import type { Appended } from './journal.js';

/** The acknowledgement as the server writes it. */
interface PubAck {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: Partial<ApiError>;
}

/** `unclear`: the message may have been stored or not. */
type Ack =
  | { readonly kind: 'stored'; readonly seq: number }
  | { readonly kind: 'refused'; readonly error: ApiError }
  | { readonly kind: 'unclear'; readonly message: string };

/** Numbers of the server's errors.json. A cluster gives the second one while another write is under way. */
const WRONG_LAST_SEQUENCE: ReadonlySet<number> = new Set([10071, 10164]);
const INSUFFICIENT_RESOURCES = 10023;
const STORAGE_EXCEEDED = 10047;
const STORE_FAILED = 10077;
/** The server refuses these before it stores anything. */
const REFUSED_UNSTORED: ReadonlySet<number> = new Set([
  10054, // larger than the stream's max_msg_size
  10060, // another stream than the expected one listens on the subject
  10109, // the stream is sealed
]);

export const refused = (why: 'fenced' | 'full' | 'other', message: string): Appended =>
  ({ kind: 'refused', why, message });
export const ambiguous = (message: string): Appended => ({ kind: 'ambiguous', message });
export const silent: Appended = {
  kind: 'ambiguous', message: 'The server did not acknowledge in time.', silent: true,
};

/** How an append to a journal ended. Whatever is not certain is ambiguous. */
export function appendedOf(reply: Msg): Appended {
  const ack = ackIn(reply);
  switch (ack.kind) {
    case 'stored':
      return { kind: 'committed', seq: ack.seq };
    case 'refused':
      return refusalOf(ack.error);
    case 'unclear':
      return ambiguous(ack.message);
    default:
      return ack satisfies never;
  }
}

/**
 * Where a message outside of the journals was stored; undefined if its fence refused it.
 * @throws JetStreamApiError, or RepriseError SERVER_FAILED if the reply is not an acknowledgement
 */
export function storedAt(reply: Msg): number | undefined {
  const ack = ackIn(reply);
  if (ack.kind === 'stored') return ack.seq;
  if (ack.kind === 'unclear') throw new RepriseError('SERVER_FAILED', ack.message);
  if (WRONG_LAST_SEQUENCE.has(ack.error.err_code)) return undefined;
  throw new JetStreamApiError(ack.error);
}

function ackIn(reply: Msg): Ack {
  if (reply.headers?.code === 503) return unclear('The subject has no stream, or its stream has no leader.');
  const ack = tryRead(() => reply.json<PubAck | null>());
  if (ack === undefined || ack === null) return unclear('The reply is not an acknowledgement.');
  if (ack.error) return { kind: 'refused', error: { code: 0, err_code: 0, description: '', ...ack.error } };
  // We send no message ids, so the server never finds a duplicate: this reply was not made for our message.
  if (ack.duplicate) return unclear('The acknowledgement is of a duplicate.');
  const { seq } = ack;
  return typeof seq === 'number' && seq > 0
    ? { kind: 'stored', seq }
    : unclear('The acknowledgement has no sequence.');
}

const unclear = (message: string): Ack => ({ kind: 'unclear', message });

function refusalOf({ err_code: number, description }: ApiError): Appended {
  const message = `${description} (${number})`;
  if (WRONG_LAST_SEQUENCE.has(number)) return refused('fenced', message);
  if (number === STORAGE_EXCEEDED || number === INSUFFICIENT_RESOURCES) return refused('full', message);
  // The server uses the same number for every failure of the store; only that a limit was met is certain.
  if (number === STORE_FAILED && /maximum (bytes|messages)/.test(description)) return refused('full', message);
  return REFUSED_UNSTORED.has(number) ? refused('other', message) : ambiguous(message);
}
