/** The capabilities of a worker as plain data, after they were checked. */

export const ISOLATIONS = ['strict', 'loose', 'none'] as const;
export type Isolation = (typeof ISOLATIONS)[number];

export interface CustomerAccess {
  /** Default: none. */
  readonly isolation?: Isolation;
  readonly allowed?: readonly string[];
  readonly denied?: readonly string[];
}

/** Plain, frozen data. Lists of names are sorted without doubles. */
export interface Capabilities {
  readonly services?: readonly string[];
  readonly models?: readonly string[] | Readonly<Record<string, readonly string[]>>;
  readonly hardware?: Readonly<Record<string, unknown>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly region?: string;
  readonly compliance?: readonly string[];
  readonly customerAccess?: CustomerAccess;
  readonly [own: string]: unknown;
}

export const NO_CAPABILITIES: Capabilities = Object.freeze({});
