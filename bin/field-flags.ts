/** The option of a field on the command line, with the parser of its kind. */
import { InvalidArgumentError, Option } from 'commander';
import type { AnyField } from '../actors/fields.js';
import { decimal, duration, durations, filled, jsonObject, label, pairOf, whole } from './arguments.js';

/** Anew for each command: an option keeps what it was given. @returns undefined for a field without a flag */
export function optionOf(field: AnyField): Option | undefined {
  const { flag } = field.about;
  return flag && parsing(new Option(...flag), field);
}

function parsing(option: Option, field: AnyField): Option {
  switch (field.kind) {
    case 'text': return option.argParser(filled);
    case 'whole': return option.argParser(whole(field.least, field.most));
    case 'time': return option.argParser(duration);
    case 'times': return option.argParser(durations);
    case 'decimal': return option.argParser(decimal);
    case 'flag': return option;
    case 'pairs': return option.argParser(label);
    case 'numbers': return option.argParser(numbers(field.least, field.most));
    case 'document': return option.argParser(jsonObject);
    case 'texts':
    case 'content':
    case 'list':
    case 'group': throw new TypeError(`a field of kind ${field.kind} has no flag`);
    default: return field satisfies never;
  }
}

const numbers = (least: number, most: number) =>
  (text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> => {
    const [name, value] = pairOf(text);
    if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`${name} is given twice.`);
    return { ...before, [name]: whole(least, most)(value) };
  };
