/** Where this package lies, its version, and how it starts another process of itself. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Run from source (by tests and while developing), or from dist/, one folder deeper. */
const FROM_SOURCE = import.meta.url.endsWith('.ts');
export const PACKAGE_FOLDER = resolve(dirname(fileURLToPath(import.meta.url)), FROM_SOURCE ? '..' : '../..');
export const EXAMPLES_FOLDER = join(PACKAGE_FOLDER, 'examples');

export function version(): string {
  const text = readFileSync(join(PACKAGE_FOLDER, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Arguments for node that run the reprise command. */
export function selfArguments(): string[] {
  return FROM_SOURCE ? ['--import=tsx', join(PACKAGE_FOLDER, 'bin', 'main.ts')] : [join(PACKAGE_FOLDER, 'bin', 'reprise')];
}

/** How people who read a hint here would call it: in a checkout it is not on PATH. */
export const COMMAND = process.cwd() === PACKAGE_FOLDER ? './bin/reprise' : 'reprise';
