/** Parsers and options of the command line. Invalid values are refused before a command does anything. */
import { InvalidArgumentError, Option } from 'commander';
import { LIMITS } from '../protocols/limits.js';
import { tryRead } from '../protocols/try-read.js';

const UNITS: Readonly<Record<string, number>> = { '': 1, ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `1500`, `500ms`, `5s`, `1.5m` or `1h`, in milliseconds. */
export function duration(text: string): number {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|)$/.exec(text);
  if (!found) throw new InvalidArgumentError('A time is needed: a number of milliseconds, or like 500ms, 5s, 2m, 1h.');
  const ms = Math.round(Number(found[1]) * UNITS[found[2]!]!);
  if (ms > LIMITS.delayMs) throw new InvalidArgumentError(`The time must be at most ${LIMITS.delayMs / UNITS['h']!}h.`);
  return ms;
}

/** `1s,5s,1m`, in milliseconds. */
export const durations = (text: string): number[] => text.split(',').map((each) => duration(each.trim()));

export const whole = (least: number, most: number = Number.MAX_SAFE_INTEGER) => (text: string): number => {
  const value = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `between ${least} and ${most}`;
  throw new InvalidArgumentError(`A whole number ${range} is needed.`);
};

export function decimal(text: string): number {
  const value = /^[+-]?\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError('A number is needed, like 1 or 0.5.');
}

/** `a=b` */
export function pairOf(text: string): [name: string, value: string] {
  const at = text.lastIndexOf('=');
  if (at < 1) throw new InvalidArgumentError('The form is name=value.');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** An empty text usually comes from an unset variable of a shell. */
export function filled(given: string): string {
  if (given === '') throw new InvalidArgumentError('The value must not be empty.');
  return given;
}

/** `a=b`; may be given several times. */
export function label(text: string, before: Readonly<Record<string, string>> = {}): Record<string, string> {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('A label has the form name=value.');
  const name = text.slice(0, at);
  if (Object.hasOwn(before, name)) throw new InvalidArgumentError(`The label ${name} is given twice.`);
  return { ...before, [name]: text.slice(at + 1) };
}

/** `queue=3`; may be given several times. */
export function weight(text: string, before: Readonly<Record<string, number>> = {}): Record<string, number> {
  const [name, value] = Object.entries(label(text))[0]!;
  if (!/^[1-9]\d{0,5}$/.test(value)) throw new InvalidArgumentError('A weight is a whole number from 1 to 999999.');
  return { ...before, [name]: Number(value) };
}

/** A JSON object. */
export function jsonObject(text: string): object {
  const value = tryRead(() => JSON.parse(text) as unknown);
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value;
  throw new InvalidArgumentError('A JSON object is needed, such as {"models":["sdxl"]}.');
}

/** `a,b,c`, or given several times. */
export function names(text: string, before: readonly string[] = []): string[] {
  const given = text.split(',').map((name) => name.trim()).filter((name) => name !== '');
  // An empty list would mean all.
  if (given.length === 0) throw new InvalidArgumentError('At least one name is needed.');
  return [...before, ...given];
}

/** Options of every command that connects to a server. locate.ts combines them with the environment. */
export const natsOption = (): Option =>
  new Option('--nats <url>', 'the NATS server, such as nats://127.0.0.1:4222').argParser(filled);
export const namespaceOption = (): Option =>
  new Option('--namespace <name>', 'the namespace (default: REPRISE_NAMESPACE or "default")');
export const jsonOption = (what: string): Option => new Option('--json', what);

/** Of commands that read journals. */
export const archiveOption = (): Option =>
  new Option('--archive <location>', 'the archive: a folder or s3://bucket/prefix (default: as brokers recorded it)')
    .argParser(filled);

/** Of the server that `dev` and the demo start. */
export const portOption = (): Option =>
  new Option('--port <number>', 'port of the server; 0: any free port (default: 4222 if free, else any free port)')
    .argParser(whole(0, 65_535));

export interface Where {
  readonly nats?: string;
  readonly namespace?: string;
}
