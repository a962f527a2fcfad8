/**
 * One server per data folder. The lock is a file that names the process group of the server and the process that
 * started it. The group's shell removes it; where that could not happen (power cut, kill -9 of everything) the group
 * is gone, and the next start takes the lock over.
 */
import { link, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { RepriseError } from '../../protocols/errors.js';

interface Holder {
  readonly group: number;
  readonly parent: number;
}

/** A server whose parent died is given 10 seconds by hold.ts; a bit more than that is worth waiting for. */
const ENDING_WITHIN_MS = 12_000;
/** A process that was just killed is still there for a moment. */
const DYING_MS = 1_000;
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
      else if (holder && Date.now() - begun > (isAlive(holder.parent) ? DYING_MS : ENDING_WITHIN_MS)) throw inUse(dataDir, path, holder);
      else await sleep(LOOK_EVERY_MS);
    }
  } finally {
    await rm(own, { force: true });
  }
}

/** A link either appears with its whole content or fails because somebody else's is there. */
async function linked(from: string, to: string): Promise<boolean> {
  return link(from, to).then(() => true, (error: NodeJS.ErrnoException) => {
    if (error.code === 'EEXIST') return false;
    throw error;
  });
}

/** Two may find the same dead lock at once: who moves away a living one that came in between puts it back. */
async function discard(path: string, dead: string, own: string): Promise<void> {
  const aside = `${own}.stale`;
  const moved = await rename(path, aside).then(() => true, () => false);
  if (!moved) return;
  if ((await readFile(aside, 'utf8')) !== dead) await linked(aside, path);
  await rm(aside, { force: true });
}

/** Process ids are used again, so the group's leader must be one that serves this folder, as far as one can see. */
async function isRunning({ group }: Holder, dataDir: string): Promise<boolean> {
  if (!isAlive(-group)) return false;
  const command = await readFile(`/proc/${group}/cmdline`, 'utf8').catch(() => undefined);
  return command === undefined || command === '' || command.split('\0').includes(dataDir);
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

function parse(text: string): Holder | undefined {
  const found = /^\{"group":(\d+),"parent":(\d+)\}$/.exec(text);
  return found ? { group: Number(found[1]), parent: Number(found[2]) } : undefined;
}

function inUse(dataDir: string, path: string, holder: Holder): RepriseError {
  const hint = `Stop process ${holder.parent}, or use another data folder. (${path} tells who holds it.)`;
  return new RepriseError('SERVER_FAILED', `Another server, started by process ${holder.parent}, uses ${dataDir}.`, { hint });
}
