/** Shapes of requests in JSON. Unknown fields are refused. */
import { z } from 'zod';
import type { ContentName } from './content-json.js';
import type { AnyField, Fields } from './fields.js';
import { nearest } from './matching/nearest.js';

export const count = z.number().refine(Number.isInteger, 'must be a whole number').nonnegative();
export const texts = z.array(z.string());
export const optionalText = z.string().optional();
/** JSON text in bytes. */
const raw = z.instanceof(Uint8Array);
/** Whether it is in canonical form: no bits are dropped by decoding. */
const isCanonical = (given: string): boolean => Buffer.from(given, 'base64').toString('base64') === given;
const base64 = z.base64().refine(isCanonical, 'must be canonical base64');

/** Content as JSON gives it: a JSON value, or bytes in base64 with their type. */
export const contentShape = <N extends ContentName>(name: N) =>
  ({ [name]: raw.optional(), [`${name}Base64`]: base64.optional(), contentType: optionalText });

/** The shape of fields that follow the table. Content is left to {@link contentShape}. */
export function shapeOf(fields: Fields): Record<string, z.ZodType> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, { kind }]) => kind !== 'content')
      .map(([name, field]) => [name, ofField(field).optional()]),
  );
}

/** An object with these fields alone. What it says of an unknown one has the known one that was most likely meant. */
export const strictShape = (fields: Fields) =>
  z.strictObject(shapeOf(fields), {
    error: (issue) => (issue.code === 'unrecognized_keys' ? meant(issue.keys, Object.keys(fields)) : undefined),
  });

/** For an error that names an unknown field. */
export function meant([unknown = '']: readonly string[], known: readonly string[]): string {
  const near = nearest(unknown, known);
  const isLikely = near[0]!.toLowerCase() === unknown[0]?.toLowerCase();
  return isLikely ? `did you mean ${JSON.stringify(near)}?` : `there are ${known.join(', ')}`;
}

function ofField(field: AnyField): z.ZodType {
  switch (field.kind) {
    case 'text': return z.string();
    case 'whole': return wholeShape(field.least, field.most);
    case 'time': return wholeShape(0, field.most);
    case 'decimal': return z.number();
    case 'flag': return z.boolean();
    case 'texts': return texts;
    case 'times': return z.array(wholeShape(0, field.mostMs)).min(1, 'must not be empty');
    case 'pairs': return z.record(z.string(), z.string());
    case 'document': return z.record(z.string(), z.unknown());
    case 'numbers': return z.record(z.string(), wholeShape(field.least, field.most));
    case 'content': return raw;
    case 'group': return strictShape(field.fields);
    case 'list': return z.array(strictShape(field.fields));
    default: return field satisfies never;
  }
}

/**
 * A fractional or negative number may not fit the field of the message. Other bounds are checked for both encodings.
 */
function wholeShape(least: number, most: number): z.ZodType {
  const error = `must be a whole number from ${least} to ${most}`;
  return z.number({ error }).refine((value) => Number.isInteger(value) && (least < 0 || value >= least), { error });
}
