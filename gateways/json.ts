/**
 * Decodes a request in JSON, for any command. Shapes are checked here and unknown fields refused. Bounds are checked by
 * the command, for JSON and protobuf alike.
 */
import { isUtf8 } from 'node:buffer';
import type { z } from 'zod';
import type { Command } from '../actors/command.js';
import { Invalid, validated } from '../protocols/bounds.js';
import { reject, type Rejection } from '../protocols/errors.js';
import { readEnvelope } from './raw-json.js';
import { issueText } from './shape-issue.js';

/** An error quotes names of fields, which may be long; the reply must stay small. */
const MOST_MESSAGE = 256;
const NOTHING: Opaque = new Set();

export interface Parsed {
  /** In the shape of the command's protobuf message. */
  readonly message: object;
  /** Whether the request is a single entry of a list. The reply is then the one to that entry. */
  readonly alone: boolean;
}

export type Opaque = ReadonlySet<string>;

export function parseJson(command: Command, bytes: Uint8Array): Parsed | Rejection {
  return reading(bytes, command.opaque ?? NOTHING, (value) => {
    const alone = command.alone !== undefined && !has(value, command.alone.list);
    const fields = shaped(alone ? command.alone!.json : command.json, value) as object;
    return { message: command.fromJson?.(fields, alone) ?? command.request.create(fields), alone };
  });
}

/** @param opaque names of fields whose values stay bytes */
export const envelopeOf = <T extends object>(shape: z.ZodType<T>, bytes: Uint8Array, opaque: Opaque): T | Rejection =>
  reading(bytes, opaque, (value) => shaped(shape, value));

function reading<T extends object>(bytes: Uint8Array, opaque: Opaque, read: (value: unknown) => T): T | Rejection {
  const request = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const malformed = whyMalformed(request);
  if (malformed !== undefined) return reject('MALFORMED', `not valid JSON: ${malformed}`);
  return validated(() => read(readEnvelope(request, opaque)));
}

function shaped<T>(shape: z.ZodType<T>, value: unknown): T {
  const parsed = shape.safeParse(value, { reportInput: true });
  if (!parsed.success) throw new Invalid('INVALID_ARGUMENT', firstIssue(parsed.error));
  return parsed.data;
}

function whyMalformed(request: Buffer): string | undefined {
  if (!isUtf8(request)) return 'it is not UTF-8';
  try {
    JSON.parse(request.toString());
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const has = (value: unknown, field: string): boolean =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, field);

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  if (issue === undefined) return 'the request has a wrong shape';
  return issueText(issue).slice(0, MOST_MESSAGE);
}
