/**
 * The tests of what is pure, in one process: a process for each file costs more than most of these tests.
 * `npx tap <file>` runs one of them by itself.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';

const ROOT = join(import.meta.dirname, '..');
/** As .taprc leaves them out. */
const PURE = ['actors', 'protocols', 'partition/core'];

const files = PURE.flatMap((folder) => readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.test.ts')).map((path) => join(folder, path)).sort());
t.ok(files.length > 40, `${files.length} files`);
for (const path of files) {
  t.comment(path);
  await import(join(ROOT, path));
}
