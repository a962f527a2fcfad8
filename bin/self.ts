/** The folder of this package, its version, and how to run its command. */
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Whether this runs from source, or from dist/, which is one folder deeper. */
const FROM_SOURCE = import.meta.url.endsWith('.ts');
export const PACKAGE_FOLDER = resolve(dirname(fileURLToPath(import.meta.url)), FROM_SOURCE ? '..' : '../..');
export const EXAMPLES_FOLDER = join(PACKAGE_FOLDER, 'examples');

export function version(): string {
  const text = readFileSync(join(PACKAGE_FOLDER, 'package.json'), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}

/** Arguments for node that run the reprise command. */
export function selfArguments(): string[] {
  const bin = join(PACKAGE_FOLDER, 'bin');
  return FROM_SOURCE ? ['--import=tsx', join(bin, 'main.ts')] : [join(bin, 'reprise')];
}

/** The command as users can type it: in a checkout it is not on PATH. */
export const COMMAND = process.cwd() === PACKAGE_FOLDER ? './bin/reprise' : 'reprise';
