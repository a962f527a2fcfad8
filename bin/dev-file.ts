/**
 * `.reprise/dev.json` names the server that runs in a folder, so that commands there need no address. It is written by
 * the process that started the server and removed when that stops; it is ignored if that process no longer runs.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { messageOf, RepriseError } from '../protocols/errors.js';
import { isAlive } from '../streams/server/alive.js';

export interface DevFile {
  readonly nats: string;
  readonly namespace: string;
  /** Of the process that wrote the file. */
  readonly pid: number;
  readonly dataDir?: string;
  /** The monitoring address of the embedded server. */
  readonly monitoring?: string;
}

const pathIn = (folder: string): string => join(folder, '.reprise', 'dev.json');

/** Replaced atomically, so that no reader sees half of it. */
export function writeDevFile(folder: string, content: DevFile): void {
  const path = pathIn(folder);
  try {
    if (!existsSync(dirname(path))) mkdirSync(dirname(path));
    writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(content)}\n`, { mode: 0o600 });
    renameSync(`${path}.${process.pid}`, path);
  } catch (cause) {
    const hint = 'Start it in a folder that you may write to.';
    throw new RepriseError('USAGE', `${path} cannot be written: ${messageOf(cause)}.`, { cause, hint });
  }
}

/** Removes the file if this process wrote it; another process may have replaced it since. */
export function removeDevFile(folder: string): void {
  const path = pathIn(folder);
  if (read(path)?.pid === process.pid) rmSync(path, { force: true });
}

/** Searches `folder` and the folders above it. */
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
