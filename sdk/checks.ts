/**
 * Checks arguments before they are encoded: protobuf would truncate 1.5 to 1 and wrap 2^32+2 to 2 without an error. The
 * fields of a job are those of job.submit.ts. Only what the encoding would change is checked here; the broker
 * checks all other bounds.
 */
import type { AnyField, Fields } from '../actors/fields.js';
import { SUBMIT } from '../actors/job/job.submit.js';
import { SETTINGS } from '../actors/queue/settings.js';
import { principal, validated } from '../protocols/bounds.js';
import { RepriseError } from '../protocols/errors.js';
import { LIMITS } from '../protocols/limits.js';
import { isWellFormed } from '../protocols/utf8.js';

/** @throws RepriseError INVALID_ARGUMENT naming the field, what it accepts, and the value as it was given */
export const checkJob = (job: object): void => checkFields('job', '', job, SUBMIT);
export const checkSettings = (settings: object): void => checkFields('settings', '', settings, SETTINGS);

function checkFields(name: string, prefix: string, value: unknown, fields: Fields): void {
  if (typeof value !== 'object' || value === null) throw invalid(name, 'an object', value);
  for (const [key, given] of Object.entries(value)) {
    const field = Object.hasOwn(fields, key) ? fields[key] : undefined;
    if (field === undefined) throw unknownField(name, key);
    if (given !== undefined && given !== null) check(prefix + key, given, field);
  }
}

function check(name: string, value: unknown, field: AnyField): void {
  if (field.kind === 'group') return checkFields(name, `${name}.`, value, field.fields);
  if (field.kind === 'list') return checkGroups(name, value, field.fields);
  const [fits, accepts] = rule(value, field);
  if (!fits) throw invalid(name, accepts, value);
}

function checkGroups(name: string, value: unknown, fields: Fields): void {
  if (!Array.isArray(value)) throw invalid(name, 'a list', value);
  value.forEach((each, nth) => checkFields(`${name}.${nth}`, `${name}.${nth}.`, each, fields));
}

type Leaf = Exclude<AnyField, { readonly kind: 'group' | 'list' }>;

/** A rule of each kind. */
function rule(value: unknown, field: Leaf): readonly [fits: boolean, accepts: string] {
  switch (field.kind) {
    case 'text': return [isText(value), 'a text'];
    case 'whole': {
      const { least, most } = field;
      return [isWhole(value, least, most), `a whole number from ${least} to ${most}`];
    }
    case 'time': return [isWhole(value, 0, Number.MAX_SAFE_INTEGER), `a whole number from 0 to ${LIMITS.delayMs}`];
    case 'decimal': return [Number.isFinite(value), 'a number'];
    case 'texts': return [Array.isArray(value) && value.every(isText), 'a list of texts'];
    case 'times': {
      const fits = Array.isArray(value) && value.length > 0;
      const every = fits && value.every((each) => isWhole(each, 0, Number.MAX_SAFE_INTEGER));
      return [every, `a list of whole numbers from 0 to ${field.mostMs}`];
    }
    case 'pairs': return [typeof value === 'object' && Object.entries(value!).flat().every(isText), 'texts by name'];
    case 'document': return [typeof value === 'object' && !Array.isArray(value), 'an object'];
    case 'flag': return [typeof value === 'boolean', 'true or false'];
    case 'numbers': {
      const { least, most } = field;
      const fits = typeof value === 'object' && Object.entries(value!).every(([key, each]) =>
        isText(key) && isWhole(each, least, most));
      return [fits, `whole numbers from ${least} to ${most} by name`];
    }
    case 'content': return [true, 'anything'];
    default: return field satisfies never;
  }
}

/** A lone surrogate has no UTF-8 form, and would be encoded as another character. */
const isText = (value: unknown): boolean => typeof value === 'string' && isWellFormed(value);

const isWhole = (value: unknown, least: number, most: number): boolean =>
  Number.isInteger(value) && (value as number) >= least && (value as number) <= most;

const unknownField = (name: string, key: string): RepriseError =>
  new RepriseError('INVALID_ARGUMENT', `${name} has no field ${JSON.stringify(key)}.`);

function invalid(name: string, accepts: string, value: unknown): RepriseError {
  const given = typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? typeof value).slice(0, 64);
  return new RepriseError('INVALID_ARGUMENT', `${name} must be ${accepts}, not ${given}.`);
}

/** Of an argument that is a text. @throws RepriseError INVALID_ARGUMENT */
export function checkText(name: string, value: unknown): void {
  if (!isText(value)) throw invalid(name, 'a text', value);
}

/** Of an argument that is a list of texts. @throws RepriseError INVALID_ARGUMENT */
export function checkList(name: string, value: unknown): void {
  if (!Array.isArray(value) || !value.every(isText)) throw invalid(name, 'a list of texts', value);
}

/** Of an argument that is a number of 32 bits. @throws RepriseError INVALID_ARGUMENT */
export function checkInteger(name: string, value: unknown): void {
  if (!isWhole(value, -(2 ** 31), 2 ** 31 - 1)) throw invalid(name, 'a whole number of 32 bits', value);
}

/** Of an argument that is a list of whole numbers, from 0 on. @throws RepriseError INVALID_ARGUMENT */
export function checkWholes(name: string, value: unknown): void {
  const fits = Array.isArray(value) && value.every((each) => isWhole(each, 0, MOST_UINT32));
  if (!fits) throw invalid(name, 'a list of whole numbers', value);
}
const MOST_UINT32 = 2 ** 32 - 1;

/** Of an argument that is a time in milliseconds. @throws RepriseError INVALID_ARGUMENT */
export function checkMs(name: string, value: unknown): void {
  if (!isWhole(value, 0, Number.MAX_SAFE_INTEGER)) throw invalid(name, 'a whole number of milliseconds', value);
}

/** An argument whose fields are texts, each of which may be absent. @throws RepriseError INVALID_ARGUMENT */
export function checkTexts(name: string, value: unknown, fields: readonly string[]): void {
  if (typeof value !== 'object' || value === null) throw invalid(name, 'an object', value);
  for (const [key, given] of Object.entries(value)) {
    if (!fields.includes(key)) throw unknownField(name, key);
    if (given !== undefined && given !== null) checkText(key, given);
  }
}

/** @throws RepriseError INVALID_ARGUMENT */
export function checkPrincipal(given: string): string {
  if (typeof given !== 'string') throw invalid('principal', 'a text', given);
  const checked = validated(() => principal('principal', given));
  if (typeof checked !== 'string') throw new RepriseError('INVALID_ARGUMENT', `${checked.message}.`);
  return checked;
}
