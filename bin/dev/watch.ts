/** Tells when something in a folder of performers changed, once for a burst of changes. */
import { watch } from 'node:fs';

/** Editors write a file in several steps. */
const SETTLE_MS = 200;
const IGNORED = /(^|[\\/])(node_modules|\.git|\.reprise)([\\/]|$)|~$|\.sw[a-z]$/;

/** @returns how to stop */
export function onChange(path: string, changed: () => void): () => void {
  let timer: NodeJS.Timeout | undefined;
  const watcher = watch(path, { recursive: true }, (_, name) => {
    if (name && IGNORED.test(name)) return;
    clearTimeout(timer);
    timer = setTimeout(changed, SETTLE_MS);
  });
  // A folder that is removed while it is watched is no reason to end.
  watcher.on('error', () => undefined);
  return () => {
    clearTimeout(timer);
    watcher.close();
  };
}
