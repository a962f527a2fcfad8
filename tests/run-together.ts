/** Runs test files in this process: one for each costs more than most of them. `npx tap <file>` runs one alone. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const ROOT = join(import.meta.dirname, '..');
/** Those that .taprc names run in processes of their own: they take long, or need it. */
const APART = readFileSync(join(ROOT, '.taprc'), 'utf8');

export async function runTogether(folders: readonly string[], least: number): Promise<void> {
  const files = folders.flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts')).map((path) => join(folder, path)).sort());
  const together = files.filter((path) => !APART.includes(`"${path}"`));
  t.ok(together.length >= least, `${together.length} files`);
  for (const path of together) {
    t.comment(path);
    await import(join(ROOT, path));
  }
}
