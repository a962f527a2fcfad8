/** Decodes requests and encodes replies, in JSON or protobuf, for any command. */
import type { Command } from '../actors/command.js';
import { encoded, type Encoder } from '../protocols/encoded.js';
import { reject, wireError, type ForeignRejection, type Rejection } from '../protocols/errors.js';
import { LIMITS } from '../protocols/limits.js';
import { error } from '../protocols/messages.js';
import { parseJson, type Parsed } from './json.js';
import { decodeStrictly } from './strict.js';

export type Format = 'json' | 'protobuf';

const OPENING_BRACE = 0x7b;

export const formatOf = (request: Uint8Array): Format => (request[0] === OPENING_BRACE ? 'json' : 'protobuf');

export function decodeRequest(command: Command, format: Format, bytes: Uint8Array): Parsed | Rejection {
  if (bytes.length > LIMITS.requestBytes) {
    return reject('TOO_LARGE', `the request has ${bytes.length} bytes; the limit is ${LIMITS.requestBytes}`);
  }
  if (format === 'json') return parseJson(command, bytes);
  const message = decodeStrictly(command.request, bytes);
  if (isRejection(message)) return reject(message.code, `${message.message}; ${JSON_BEGINS}`);
  return { message, alone: command.alone === undefined };
}

/** For a client that meant JSON: a space, a byte order mark or a list is read as protobuf. */
const JSON_BEGINS = 'a request in JSON begins with "{"';

/** @param alone whether the request was a single entry of a list */
export function encodeReply(command: Command, reply: object, format: Format, alone: boolean): Uint8Array {
  if (format === 'json') return Buffer.from(command.toJson?.(reply, alone) ?? JSON.stringify(reply));
  return encoded(command.reply as Encoder<object>, reply);
}

export const encodeError = (rejection: Rejection | ForeignRejection, format: Format): Uint8Array =>
  format === 'json' ? Buffer.from(JSON.stringify(wireError(rejection))) : encoded(error.Error, wireError(rejection));

export const isRejection = (value: object): value is Rejection => 'code' in value && 'message' in value;
