/**
 * One server per data folder. The lock is a file that names the process group of the server and the process that
 * started it. The shell of the group removes it. If it could not (power cut, kill -9 of all processes), the group does
 * not exist any more, and the next start replaces the lock.
 */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { RepriseError } from '../../protocols/errors.js';
import { isAlive } from './alive.js';

interface Holder {
  readonly group: number;
  readonly parent: number;
}

/** A server whose parent ended gets 10 seconds from hold.ts; this is a little more. */
const ENDING_WITHIN_MS = 12_000;
/** A process that was just killed still exists for a moment. */
const KILLED_WITHIN_MS = 1_000;
const LOOK_EVERY_MS = 50;

/**
 * Takes the lock for process group `group`, or throws when another server uses the folder. A server that is ending
 * because its parent is gone is waited for.
 */
export async function lock(path: string, group: number, dataDir: string): Promise<void> {
  const own = `${path}.${group}`;
  await writeFile(own, JSON.stringify({ group, parent: process.pid } satisfies Holder));
  try {
    const begun = Date.now();
    while (!(await linked(own, path))) {
      const text = await readFile(path, 'utf8').catch(() => '');
      const holder = parse(text);
      if (text && !(holder && (await isRunning(holder, dataDir)))) await discard(path, text, own);
      else if (holder && Date.now() - begun > patienceMs(holder)) throw inUse(dataDir, path, holder);
      else await sleep(LOOK_EVERY_MS);
    }
  } finally {
    await rm(own, { force: true });
  }
}

const patienceMs = ({ parent }: Holder): number => (isAlive(parent) ? KILLED_WITHIN_MS : ENDING_WITHIN_MS);

/** A link either appears with its whole content, or fails because the file of another process is there. */
export async function linked(from: string, to: string): Promise<boolean> {
  return link(from, to).then(() => true, (error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return false;
    throw error;
  });
}

/** Two processes may find the same stale lock at once: one that has moved a newer lock away puts it back. */
export async function discard(path: string, stale: string, own: string): Promise<void> {
  const aside = `${own}.stale`;
  const moved = await rename(path, aside).then(() => true, () => false);
  if (!moved) return;
  if ((await readFile(aside, 'utf8')) !== stale) await linked(aside, path);
  await rm(aside, { force: true });
}

/** Process ids are reused, so the command line of the group's leader must contain the folder, where it can be read. */
async function isRunning({ group }: Holder, dataDir: string): Promise<boolean> {
  if (!isAlive(-group)) return false;
  const command = await readFile(`/proc/${group}/cmdline`, 'utf8').catch(() => undefined);
  return command === undefined || command === '' || command.split('\0').includes(dataDir);
}

function parse(text: string): Holder | undefined {
  const found = /^\{"group":(\d+),"parent":(\d+)\}$/.exec(text);
  return found ? { group: Number(found[1]), parent: Number(found[2]) } : undefined;
}

function inUse(dataDir: string, path: string, holder: Holder): RepriseError {
  const message = `Another server, started by process ${holder.parent}, uses ${dataDir}.`;
  const hint = `Stop process ${holder.parent}, or use another data folder. The lock is ${path}.`;
  return new RepriseError('SERVER_FAILED', message, { hint });
}
