/** Reads what is given on the command line. What cannot be read is refused before anything is done. */
import { InvalidArgumentError, Option } from 'commander';
import { LIMITS } from '../protocols/limits.js';

const UNITS: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `1500`, `500ms`, `5s`, `1.5m` or `1h`, in milliseconds. */
export function duration(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|)$/.exec(text);
  if (!found) throw new InvalidArgumentError('A time is a number of milliseconds, or 500ms, 5s, 2m, 1h.');
  const ms = Math.round(Number(found[1]) * UNITS[found[2]!]!);
  if (ms > LIMITS.delayMs) throw new InvalidArgumentError(`At most ${LIMITS.delayMs / UNITS['h']!}h is possible.`);
  return ms;
}

export const whole = (least: number, most: number = Number.MAX_SAFE_INTEGER) => (text: string): number => {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new InvalidArgumentError(most === Number.MAX_SAFE_INTEGER ? `A whole number from ${least} is needed.` : `A whole number from ${least} to ${most} is needed.`);
};

/** An empty text is a variable that was not set, not a wish. */
export function filled(given: string): string {
  if (given === '') throw new InvalidArgumentError('It must not be empty.');
  return given;
}

/** `a=b`, again and again. */
export function label(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('A label is name=value.');
  const name = text.slice(0, at);
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`The label ${name} is given twice.`);
  return { ...before, [name]: text.slice(at + 1) };
}

/** `a,b,c`, or given several times. */
export function names(text: string, before: readonly string[] = []): string[] {
  const given = text.split(',').map((name) => name.trim()).filter((name) => name !== '');
  // None would mean all.
  if (given.length === 0) throw new InvalidArgumentError('At least one name is needed.');
  return [...before, ...given];
}

/** Of every command that talks to a server. Their environment variables are read in locate.ts, which says which one won. */
export const natsOption = (): Option => new Option('--nats <url>', 'the NATS server, such as nats://127.0.0.1:4222').argParser(filled);
export const namespaceOption = (): Option => new Option('--namespace <name>', 'the namespace (default: REPRISE_NAMESPACE or "default")');
export const jsonOption = (what: string): Option => new Option('--json', what);

export interface Where {
  readonly nats?: string;
  readonly namespace?: string;
}
