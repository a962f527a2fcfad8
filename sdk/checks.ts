/**
 * What a job to submit must look like before it is encoded: protobuf would cut 1.5 to 1 and wrap 2^32+2 to 2 without a
 * word. Bounds that the broker checks by itself are left to it; here is what would not survive the way there.
 */
import { RepriseError } from '../protocols/errors.js';
import { LIMITS } from '../protocols/limits.js';
import { isWellFormed } from '../protocols/utf8.js';

type Rule = 'any' | 'text' | 'texts' | 'map' | 'count' | 'number' | Range | Shape;
interface Shape {
  readonly fields: Readonly<Record<string, Rule>>;
}
interface Range {
  readonly least: number;
  readonly most: number;
}

const JOB: Shape = {
  fields: {
    type: 'text', payload: 'any', contentType: 'text', queue: 'text', key: 'text', commandId: 'text', labels: 'map',
    priority: { least: -LIMITS.priority, most: LIMITS.priority }, delayMs: 'count', runAtMs: 'count',
    retry: {
      fields: {
        maxAttempts: { least: 1, most: LIMITS.maxAttempts }, nonRetryable: 'texts',
        backoff: { fields: { initialMs: 'count', factor: 'number', maxMs: 'count', jitter: 'number' } },
      },
    },
    timeouts: { fields: { attemptMs: 'count', totalMs: 'count', heartbeatMs: 'count' } },
  },
};

/** @throws RepriseError INVALID_ARGUMENT naming the field, what it accepts, and the value as it was given */
export const checkJob = (job: object): void => check('job', job, JOB);

function check(name: string, value: unknown, rule: Rule): void {
  if (value === undefined || value === null || rule === 'any') return;
  if (typeof rule === 'object') return 'fields' in rule ? checkFields(name, value, rule) : checkWhole(name, value, rule);
  const fits = {
    text: () => isText(value),
    texts: () => Array.isArray(value) && value.every(isText),
    map: () => typeof value === 'object' && Object.entries(value).flat().every(isText),
    count: () => Number.isSafeInteger(value) && (value as number) >= 0,
    number: () => Number.isFinite(value),
  }[rule]();
  if (!fits) throw invalid(name, ACCEPTS[rule], value);
}

/** Half of a surrogate pair has no UTF-8 form, and would arrive as another text. */
const isText = (value: unknown): boolean => typeof value === 'string' && isWellFormed(value);

const ACCEPTS = {
  text: 'a text', texts: 'a list of texts', map: 'texts by name', count: `a whole number from 0 to ${LIMITS.delayMs}`, number: 'a number',
} as const;

function checkFields(name: string, value: unknown, { fields }: Shape): void {
  if (typeof value !== 'object' || value === null) throw invalid(name, 'an object', value);
  for (const [field, of] of Object.entries(value)) {
    const rule = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (rule === undefined) throw new RepriseError('INVALID_ARGUMENT', `${name} has no field ${JSON.stringify(field)}.`);
    check(name === 'job' ? field : `${name}.${field}`, of, rule);
  }
}

function checkWhole(name: string, value: unknown, { least, most }: Range): void {
  if (Number.isInteger(value) && (value as number) >= least && (value as number) <= most) return;
  throw invalid(name, `a whole number from ${least} to ${most}`, value);
}

const invalid = (name: string, accepts: string, value: unknown): RepriseError =>
  new RepriseError('INVALID_ARGUMENT', `${name} must be ${accepts}, not ${typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value).slice(0, 64)}.`);
