/**
 * Watches a folder of performers and calls back once per burst of changes. It also watches the folder above, to see
 * when the folder itself is created, removed or replaced.
 */
import { existsSync, watch, type FSWatcher } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Editors write a file in several steps. */
const SETTLE_MS = 200;
const IGNORED = /(^|[\\/])(node_modules|\.git|\.reprise)([\\/]|$)|~$|\.sw[a-z]$/;

/** @returns a function that stops watching */
export function onChange(path: string, changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  let inside: FSWatcher | undefined;
  const soon = (): void => {
    clearTimeout(timer);
    timer = setTimeout(changed, SETTLE_MS);
  };
  const lookInside = (): void => {
    inside?.close();
    if (!existsSync(path)) inside = undefined;
    else inside = watched(path, true, (name) => (name !== null && IGNORED.test(name)) || soon());
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

/** Undefined if the folder no longer exists. Removing a folder while it is watched is not an error. */
function watched(path: string, recursive: boolean, seen: (name: string | null) => void): FSWatcher | undefined {
  try {
    return watch(path, { recursive }, (_, name) => seen(name)).on('error', () => undefined);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
