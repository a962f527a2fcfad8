/** One index per folder. The lock is a file that names its process; that of a process that has ended is replaced. */
import { readFileSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../streams/server/alive.js';
import { discard, linked } from '../../streams/server/lock.js';

interface Holder {
  readonly host: string;
  readonly pid: number;
  /** When the process started, as the system counts. Process ids are reused. Empty where it is not known. */
  readonly started: string;
}

export type Release = () => Promise<void>;

/** Folders that this process holds: its own id says nothing about which of its brokers does. */
const heldHere = new Set<string>();
let taken = 0;

/** @returns undefined if another index uses the folder @throws an error of the file system */
export async function lockFolder(folder: string): Promise<Release | undefined> {
  if (heldHere.has(folder)) return undefined;
  heldHere.add(folder);
  const path = join(folder, 'lock');
  try {
    if (await take(path)) {
      return async () => {
        await rm(path, { force: true });
        heldHere.delete(folder);
      };
    }
  } catch (error) {
    heldHere.delete(folder);
    throw error;
  }
  heldHere.delete(folder);
  return undefined;
}

async function take(path: string): Promise<boolean> {
  taken += 1;
  const own = `${path}.${process.pid}.${taken}`;
  await writeFile(own, JSON.stringify({ host: hostname(), pid: process.pid, started: startOf(process.pid) }));
  try {
    while (!(await linked(own, path))) {
      const text = await readFile(path, 'utf8').catch(() => undefined);
      // It was released meanwhile. After a power cut it may be there and empty.
      if (text === undefined) continue;
      if (isRunning(text)) return false;
      await discard(path, text, own);
    }
    return true;
  } finally {
    await rm(own, { force: true });
  }
}

/** Of another machine that shares the folder nothing is known, so its lock stands. */
function isRunning(text: string): boolean {
  const holder = parse(text);
  if (holder === undefined) return false;
  if (holder.host !== hostname()) return true;
  if (holder.pid === process.pid) return false;
  return isAlive(holder.pid) && startOf(holder.pid) === holder.started;
}

function parse(text: string): Holder | undefined {
  try {
    const { host, pid, started } = JSON.parse(text) as Partial<Holder>;
    if (typeof host !== 'string' || !Number.isInteger(pid)) return undefined;
    return { host, pid: pid!, started: String(started) };
  } catch {
    return undefined;
  }
}

/** Field 22 of its stat; the name before it may hold spaces. */
function startOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
