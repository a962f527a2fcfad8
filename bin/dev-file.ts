/**
 * `.reprise/dev.json`: which server runs in this folder, so that commands beside it need no address. Written by what
 * started the server, removed when that ends, and ignored when that process is gone without having removed it.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { RepriseError } from '../protocols/errors.js';

export interface DevFile {
  readonly nats: string;
  readonly namespace: string;
  /** Of the process that wrote it. */
  readonly pid: number;
  readonly dataDir?: string;
  /** Where the embedded server tells about itself. */
  readonly monitoring?: string;
}

const pathIn = (folder: string): string => join(folder, '.reprise', 'dev.json');

/** Replaced in one go, so that nobody reads half of it. */
export function writeDevFile(folder: string, content: DevFile): void {
  const path = pathIn(folder);
  try {
    if (!existsSync(dirname(path))) mkdirSync(dirname(path));
    writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(content)}\n`, { mode: 0o600 });
    renameSync(`${path}.${process.pid}`, path);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new RepriseError('USAGE', `${path} cannot be written: ${why}.`, { cause, hint: 'Start it in a folder that you may write to.' });
  }
}

/** Removes what this process wrote; another one may have taken its place meanwhile. */
export function removeDevFile(folder: string): void {
  const path = pathIn(folder);
  if (read(path)?.pid === process.pid) rmSync(path, { force: true });
}

/** The nearest one, upwards from `folder`. */
export function findDevFile(folder: string): DevFile | undefined {
  for (let at = folder; ; at = dirname(at)) {
    const found = read(pathIn(at));
    if (found && isAlive(found.pid)) return found;
    if (at === dirname(at)) return undefined;
  }
}

function read(path: string): DevFile | undefined {
  try {
    const value = JSON.parse(readFileSync(path, 'utf8')) as Partial<DevFile> | null;
    const whole = typeof value?.nats === 'string' && typeof value.namespace === 'string' && Number.isInteger(value.pid);
    return whole ? (value as DevFile) : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
