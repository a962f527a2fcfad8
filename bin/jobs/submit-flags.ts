/** The flags of `reprise submit` that are fields of the job: made from the table of job.submit.ts, and read into it. */
import type { Option } from 'commander';
import { leavesOf, type AnyField } from '../../actors/fields.js';
import { SUBMIT, type JobToSubmit } from '../../actors/job/job.submit.js';
import { optionOf } from '../field-flags.js';

interface FieldFlag {
  readonly field: AnyField;
  readonly option: Option;
}

/** Anew for each command: an option keeps what it was given. */
function* fieldFlags(): Generator<FieldFlag> {
  for (const field of leavesOf(SUBMIT)) {
    const option = optionOf(field);
    if (option) yield { field, option };
  }
}

export const jobOptions = (): Option[] => [...fieldFlags()].map(({ option }) => option);

/** @param flags as commander has read them, by the names of their attributes */
export function jobOfFlags(flags: Readonly<Record<string, unknown>>): Partial<JobToSubmit> {
  const job = {};
  for (const { field, option } of fieldFlags()) {
    const value = flags[option.attributeName()];
    if (value !== undefined) put(job, field.name.split('.'), value);
  }
  return job;
}

function put(into: Record<string, unknown>, [name, ...rest]: readonly string[], value: unknown): void {
  if (rest.length === 0) into[name!] = value;
  else put((into[name!] ??= {}) as Record<string, unknown>, rest, value);
}
