/** Says what is wrong with the shape of a request in JSON: the field, what it accepts, and the value that was given. */
import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'a string', number: 'a number', int: 'a whole number', boolean: 'true or false', array: 'a list',
  object: 'an object', record: 'an object',
};

/** @param issue of a parse with `reportInput`, which has the value */
export function issueText(issue: Issue): string {
  if (issue.code === 'unrecognized_keys') return unknownFields(issue);
  const field = issue.path.join('.') || 'the request';
  const rule = ruleOf(issue);
  return issue.input === undefined ? `${field} is missing; it ${rule}` : `${field} ${rule}, got ${shown(issue.input)}`;
}

function unknownFields({ keys, path, message }: Issue & { readonly keys: readonly string[] }): string {
  const names = keys.map((key) => JSON.stringify(key)).join(', ');
  const hint = /^(did you mean|there are) /.test(message) ? `; ${message}` : '';
  return `unknown field${keys.length > 1 ? 's' : ''} ${names}${path.length > 0 ? ` in ${path.join('.')}` : ''}${hint}`;
}

function ruleOf(issue: Issue): string {
  // The text of a rule of our own. Those of the library begin with another word.
  if (issue.message.startsWith('must ')) return issue.message;
  switch (issue.code) {
    case 'invalid_type': return `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case 'too_small': return bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum);
    case 'too_big': return bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum);
    case 'invalid_format': return `must be ${FORMATS[issue.format] ?? issue.format}`;
    case 'invalid_union': return anyOf(issue.errors);
    case 'invalid_value': return `must be ${issue.values.map((value) => JSON.stringify(value)).join(' or ')}`;
    case 'not_multiple_of': return `must be a multiple of ${issue.divisor}`;
    default: return 'has a wrong shape';
  }
}

const FORMATS: Readonly<Record<string, string>> = { datetime: 'an ISO 8601 time with its offset' };

const anyOf = (branches: readonly (readonly Issue[])[]): string =>
  [...new Set(branches.flatMap(([issue]) => (issue === undefined ? [] : [ruleOf(issue)])))].join(' or ');

const UNITS: Readonly<Record<string, string>> = { string: 'characters', array: 'entries', set: 'entries' };

function bound(origin: string, relation: string, limit: number | bigint): string {
  const unit = UNITS[origin];
  return unit === undefined ? `must be ${relation} ${limit}` : `must have ${relation} ${limit} ${unit}`;
}

const MOST_SHOWN = 64;

/** A string is shown short and escaped, a list or an object only as what it is: it may be large. */
function shown(value: unknown): string {
  if (typeof value === 'string') {
    return JSON.stringify(value.length > MOST_SHOWN ? `${value.slice(0, MOST_SHOWN)}…` : value);
  }
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}
