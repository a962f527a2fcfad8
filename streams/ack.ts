/** What the server's answer to an append means. Whatever is not certain is ambiguous. */
import type { Msg } from '@nats-io/nats-core';
import type { Appended } from './journal.js';

interface PubAck {
  readonly stream?: string;
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description?: string };
}

/** Numbers of the server's errors.json. */
/** The second is the same answer from a cluster, where another write is on its way. */
const WRONG_LAST_SEQUENCE: ReadonlySet<number> = new Set([10071, 10164]);
export const isWrongLastSequence = (number: number): boolean => WRONG_LAST_SEQUENCE.has(number);
const INSUFFICIENT_RESOURCES = 10023;
const STORAGE_EXCEEDED = 10047;
const STORE_FAILED = 10077;
/** The server looked at the message and turned it away before it stored anything. */
const TURNED_AWAY: ReadonlySet<number> = new Set([
  10054, // larger than the stream's max_msg_size
  10060, // another stream than the expected one listens on the subject
  10109, // the stream is sealed
]);

export const refused = (why: 'fenced' | 'full' | 'other', message: string): Appended => ({ kind: 'refused', why, message });
export const ambiguous = (message: string): Appended => ({ kind: 'ambiguous', message });
export const silent: Appended = { kind: 'ambiguous', message: 'The server did not acknowledge in time.', silent: true };

export function appendedOf(message: Msg): Appended {
  if (message.headers?.code === 503) return ambiguous('Nobody listens on the journal: no stream, or no leader.');
  const ack = parse(message);
  if (ack === undefined) return ambiguous('The answer is no acknowledgement.');
  if (ack.error) return refusal(ack.error.err_code ?? 0, ack.error.description ?? '');
  // A duplicate was not written, and we send no message ids: somebody answers in the server's place.
  return typeof ack.seq === 'number' && ack.seq > 0 && !ack.duplicate
    ? { kind: 'committed', seq: ack.seq }
    : ambiguous('The acknowledgement has no sequence.');
}

function refusal(number: number, description: string): Appended {
  const message = `${description} (${number})`;
  if (isWrongLastSequence(number)) return refused('fenced', message);
  if (number === STORAGE_EXCEEDED || number === INSUFFICIENT_RESOURCES) return refused('full', message);
  // The same number stands for every failure of the store; only that a limit was met is certain.
  if (number === STORE_FAILED && /maximum (bytes|messages)/.test(description)) return refused('full', message);
  return TURNED_AWAY.has(number) ? refused('other', message) : ambiguous(message);
}

function parse(message: Msg): PubAck | undefined {
  try {
    return message.json<PubAck>();
  } catch {
    return undefined;
  }
}
