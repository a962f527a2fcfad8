/** The flags of `reprise submit` that are fields of the job: made from the table of job.submit.ts, and read into it. */
import { Option } from 'commander';
import { leavesOf, type AnyField } from '../../actors/fields.js';
import { SUBMIT, type JobToSubmit } from '../../actors/job/job.submit.js';
import { duration, durations, filled, jsonObject, label, whole } from '../arguments.js';

interface FieldFlag {
  readonly field: AnyField;
  readonly option: Option;
}

/** Anew for each command: an option keeps what it was given. */
function* fieldFlags(): Generator<FieldFlag> {
  for (const field of leavesOf(SUBMIT)) {
    const { flag } = field.about;
    if (flag) yield { field, option: parsing(new Option(...flag), field) };
  }
}

export const jobOptions = (): Option[] => [...fieldFlags()].map(({ option }) => option);

function parsing(option: Option, field: AnyField): Option {
  switch (field.kind) {
    case 'text': return option.argParser(filled);
    case 'whole': return option.argParser(whole(field.least, field.most));
    case 'time': return option.argParser(duration);
    case 'times': return option.argParser(durations);
    case 'pairs': return option.argParser(label);
    case 'document': return option.argParser(jsonObject);
    default: throw new TypeError(`a field of kind ${field.kind} has no flag`);
  }
}

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
