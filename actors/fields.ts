/**
 * Fields of a request as data. What a field accepts is defined once; the check for both encodings, the shape in JSON,
 * the client's types and checks, the flags of the command line and docs/protocol.md are derived from it.
 */
import { atMost, labels, payload, text, whole, within } from '../protocols/bounds.js';
import { LIMITS } from '../protocols/limits.js';

/** The description of a field. */
export interface About {
  /** For docs/protocol.md, which adds the bounds of numbers and texts. */
  readonly about: string;
  /** For docs/protocol.md, where the default is not a number. */
  readonly byDefault?: string;
  /** On the command line: the option, such as `--delay <time>`, and its description. */
  readonly flag?: readonly [option: string, description: string];
}

/** `given`: the type of a value, for the compiler alone. */
abstract class Field<T> {
  declare readonly given: T;
  /** Within the request, as in `retry.maxAttempts`. */
  name = '';

  constructor(readonly about: About) {}
}

export class Text extends Field<string> {
  readonly kind = 'text';

  constructor(
    readonly mostBytes: number,
    about: About,
  ) {
    super(about);
  }

  check(value: string): string {
    return text(this.name, value, this.mostBytes);
  }
}

/** A text with its own grammar, or one of some names. @param parse throws Invalid */
export class Name<T extends string = string> extends Field<T> {
  readonly kind = 'text';

  constructor(
    private readonly parse: (value: string) => string,
    about: About,
    /** Of an empty text. Without it an empty text is parsed as well. */
    readonly otherwise: string = '',
  ) {
    super(about);
  }

  check(value: string): string {
    return value === '' && this.otherwise !== '' ? this.otherwise : this.parse(value);
  }
}

abstract class Bounded extends Field<number> {
  constructor(
    readonly least: number,
    readonly most: number,
    readonly otherwise: number,
    about: About,
  ) {
    super(about);
  }
}

/** A whole number of at most 32 bits. */
export class Whole extends Bounded {
  readonly kind = 'whole';

  check(value: number | null | undefined): number {
    return value === undefined || value === null ? this.otherwise : whole(this.name, value, this.least, this.most);
  }
}

/** Milliseconds, of a span or since 1970: a whole number of at most 53 bits. */
export class Time extends Field<number> {
  readonly kind = 'time';

  constructor(
    readonly least: number,
    readonly otherwise: number,
    about: About,
    readonly most: number = LIMITS.delayMs,
  ) {
    super(about);
  }

  check(value: number | null | undefined, most: number = this.most): number {
    return value === undefined || value === null ? this.otherwise : whole(this.name, value, this.least, most);
  }
}

export class Decimal extends Bounded {
  readonly kind = 'decimal';

  check(value: number | null | undefined): number {
    return value === undefined || value === null ? this.otherwise : within(this.name, value, this.least, this.most);
  }
}

/** A list of texts, none of them empty. */
export class Texts extends Field<string[]> {
  readonly kind = 'texts';

  constructor(
    readonly most: number,
    readonly mostBytes: number,
    about: About,
  ) {
    super(about);
  }

  check(list: readonly string[] | null | undefined): string[] {
    return atMost(this.name, list ?? [], this.most).map((each) => text(this.name, each, this.mostBytes, 1));
  }
}

/** A list of spans in milliseconds. An empty one is not given. */
export class Times extends Field<number[]> {
  readonly kind = 'times';

  constructor(
    readonly most: number,
    about: About,
    readonly mostMs: number = LIMITS.delayMs,
  ) {
    super(about);
  }

  check(list: readonly number[] | null | undefined): number[] | undefined {
    if (!list?.length) return undefined;
    return atMost(this.name, list, this.most).map((each) => whole(this.name, each, 0, this.mostMs));
  }
}

export class Pairs extends Field<Readonly<Record<string, string>>> {
  readonly kind = 'pairs';

  check(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
    return labels(this.name, map);
  }
}

export class Flag extends Field<boolean> {
  readonly kind = 'flag';
}

/** Whole numbers by name. */
export class Numbers extends Field<Readonly<Record<string, number>>> {
  readonly kind = 'numbers';

  constructor(
    readonly least: number,
    readonly most: number,
    readonly mostEntries: number,
    about: About,
  ) {
    super(about);
  }

  check(map: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
    for (const [key, value] of atMost(this.name, Object.entries(map), this.mostEntries)) {
      text(`a name in ${this.name}`, key, LIMITS.labelBytes, 1);
      whole(`${this.name}.${key}`, value, this.least, this.most);
    }
    return { ...map };
  }
}

/** A list of groups. */
export class List<F extends Fields> extends Field<readonly Given<F>[]> {
  readonly kind = 'list';

  constructor(
    readonly fields: F,
    readonly most: number,
    about: About = { about: '' },
  ) {
    super(about);
  }
}

/** An opaque value: bytes, which are JSON or of the content type that is given with them. */
export class Content extends Field<unknown> {
  readonly kind = 'content';

  check(bytes: Uint8Array): Uint8Array {
    return payload(this.name, bytes);
  }
}

/** A JSON object with a grammar of its own. Messages and events have its text. @param parse throws Invalid */
export class Document extends Field<object> {
  readonly kind = 'document';

  constructor(
    private readonly parse: (name: string, json: string) => string,
    about: About,
  ) {
    super(about);
  }

  /** @param json text; empty: not given @returns its canonical text; empty if it says nothing */
  check(json: string | null | undefined): string {
    return json ? this.parse(this.name, json) : '';
  }
}

export type Fields = Readonly<Record<string, AnyField>>;

export class Group<F extends Fields> extends Field<Given<F>> {
  readonly kind = 'group';

  constructor(
    readonly fields: F,
    about: About = { about: '' },
  ) {
    super(about);
  }
}

export type AnyField =
  | Text | Name | Whole | Time | Decimal | Flag | Texts | Times | Pairs | Numbers | Content | Document
  | Group<Fields> | List<Fields>;

/** What may be given for the fields. */
export type Given<F extends Fields> = { readonly [K in keyof F]?: F[K]['given'] };

/** Sets the name of every field. */
export function named<F extends Fields>(fields: F, prefix = ''): F {
  for (const [key, field] of Object.entries(fields)) {
    field.name = prefix + key;
    if (field.kind === 'group' || field.kind === 'list') named(field.fields, `${field.name}.`);
  }
  return fields;
}

/** The same fields again, to be named for another place. */
export function copyOf<F extends Fields>({ fields, about }: Group<F>): Group<F> {
  const copies = Object.entries(fields).map(([key, field]) =>
    [key, field.kind === 'group' ? copyOf(field) : (Object.create(field) as AnyField)]);
  return new Group(Object.fromEntries(copies) as F, about);
}

/** All fields that are no groups and no lists, in their order. */
export function* leavesOf(fields: Fields): Generator<Exclude<AnyField, Group<Fields> | List<Fields>>> {
  for (const field of Object.values(fields)) {
    if (field.kind === 'group' || field.kind === 'list') yield* leavesOf(field.fields);
    else yield field;
  }
}

/**
 * What is given in a message, or in an object of that shape: checked, and as plain data without what is absent.
 * @throws Invalid
 */
export const givenIn = <F extends Fields>(fields: F, message: object): Given<F> => plainIn(fields, message, checked);

/** The same of what was checked before: a later version may have other bounds. */
export const recordedIn = <F extends Fields>(fields: F, message: object): Given<F> =>
  plainIn(fields, message, (_, value) => value);

type Read = (field: Exclude<AnyField, Group<Fields>>, value: unknown) => unknown;

function checked(field: Parameters<Read>[0], value: unknown): unknown {
  if (field.kind === 'list') return atMost(field.name, value as object[], field.most);
  return field.kind === 'flag' ? value : field.check(value as never);
}

function plainIn<F extends Fields>(fields: F, message: object, read: Read): Given<F> {
  const plain: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(fields)) {
    // What was decoded has the defaults of absent fields in its prototype.
    const value = Object.hasOwn(message, key) ? (message as Record<string, unknown>)[key] : undefined;
    if (value !== undefined && value !== null && !isEmpty(field, value)) plain[key] = plainOf(field, value, read);
  }
  return plain as Given<F>;
}

/** A list or map: protobuf cannot tell it from one that is absent. */
const isEmpty = ({ kind }: AnyField, value: unknown): boolean =>
  (kind === 'list' || kind === 'texts' || kind === 'times' || kind === 'numbers' || kind === 'pairs')
  && Object.keys(value as object).length === 0;

function plainOf(field: AnyField, value: unknown, read: Read): unknown {
  switch (field.kind) {
    case 'group': return plainIn(field.fields, value as object, read);
    case 'list': return (read(field, value) as object[]).map((each) => plainIn(field.fields, each, read));
    case 'times':
    case 'texts': return [...(read(field, value) as unknown[])];
    case 'numbers':
    case 'pairs': return { ...(read(field, value) as object) };
    default: return read(field, value);
  }
}
