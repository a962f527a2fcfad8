/**
 * Tells when something in a folder of performers changed, once for a burst of changes; also when the folder comes, goes
 * or is replaced, which only the folder above it shows.
 */
import { existsSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Editors write a file in several steps. */
const SETTLE_MS = 200;
const IGNORED = /(^|[\\/])(node_modules|\.git|\.reprise)([\\/]|$)|~$|\.sw[a-z]$/;

/** @returns how to stop */
export function onChange(path: string, changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let inside: FSWatcher | undefined;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(changed, SETTLE_MS);
  };
  const lookInside = (): void => {
    inside?.close();
    inside = existsSync(path) ? watched(path, true, (name) => (name !== null && IGNORED.test(name)) || soon()) : undefined;
  };
  const above = watched(dirname(path), false, (name) => {
    if (name !== basename(path)) return;
    lookInside();
    soon();
  });
  lookInside();
  return () => {
    clearTimeout(timer);
    inside?.close();
    above?.close();
  };
}

/** Undefined when the folder is gone again by now. One that is removed while it is watched is no reason to end. */
function watched(path: string, recursive: boolean, seen: (name: string | null) => void): FSWatcher | undefined {
  try {
    return watch(path, { recursive }, (_, name) => seen(name)).on('error', () => undefined);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
