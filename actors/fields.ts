/**
 * Fields of a request as data. What a field accepts is defined once; the check for both encodings, the shape in JSON,
 * the client's types and checks, the flags of the command line and docs/protocol.md are derived from it.
 */
import { atMost, Invalid, labels, payload, text, whole, within } from '../protocols/bounds.js';
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

/** Texts by name. */
export class Pairs extends Field<Readonly<Record<string, string>>> {
  readonly kind = 'pairs';

  check(map: Readonly<Record<string, string>>): Readonly<Record<string, string>> | undefined {
    return labels(this.name, map);
  }
}

/** An opaque value: bytes, which are JSON or of the content type that is given with them. */
export class Content extends Field<unknown> {
  readonly kind = 'content';

  check(bytes: Uint8Array): Uint8Array {
    return payload(this.name, bytes);
  }
}

/** Texts by name that have no meaning yet. The client does not offer it. */
export class Reserved extends Field<never> {
  readonly kind = 'reserved';

  check(map: Readonly<Record<string, string>>): void {
    for (const _ in map) throw new Invalid('UNSUPPORTED', `${this.name} is reserved: ${this.about.about}`);
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
  Text | Name | Whole | Time | Decimal | Texts | Times | Pairs | Content | Reserved | Group<Fields>;

/** What may be given for the fields; reserved ones may not. */
export type Given<F extends Fields> = { readonly [K in keyof F as F[K] extends Reserved ? never : K]?: F[K]['given'] };

/** Sets the name of every field. */
export function named<F extends Fields>(fields: F, prefix = ''): F {
  for (const [key, field] of Object.entries(fields)) {
    field.name = prefix + key;
    if (field.kind === 'group') named(field.fields, `${field.name}.`);
  }
  return fields;
}

/** All fields that are no groups, in their order. */
export function* leavesOf(fields: Fields): Generator<Exclude<AnyField, Group<Fields>>> {
  for (const field of Object.values(fields)) {
    if (field.kind === 'group') yield* leavesOf(field.fields);
    else yield field;
  }
}
