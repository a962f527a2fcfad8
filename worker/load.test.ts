import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { RepriseError } from '../protocols/errors.js';
import { loadPerformers } from './load.js';

const examples = fileURLToPath(new URL('../examples', import.meta.url));
const IMPORT = 'import { performer } from "reprise";';
const outside = t.testdir({
  'package.json': '{"type":"module"}',
  'plain.js': `${IMPORT} export default performer("plain", () => 1);`,
  'module.mjs': `${IMPORT} export default performer("module", () => 1);`,
  'typed.ts': `${IMPORT} interface N { n: number } export default performer("typed", ({ n }: N) => n);`,
  several: {
    'many.js': `${IMPORT} export default [performer("one", () => 1), performer("two", () => 2)];`,
    'helper.js': 'export const help = 1;',
    'types.d.ts': 'export default 1;',
    'many.test.js': 'throw new Error("a test")',
    '.hidden.js': 'throw new Error("hidden")',
    'notes.md': 'no',
  },
  same: {
    'a.js': `${IMPORT} export default performer("same", () => 1);`,
    'b.js': `${IMPORT} export default performer("same", () => 1);`,
  },
  twice: { 'twice.js': `${IMPORT} export default [performer("x", () => 1), performer("x", () => 1)];` },
  odd: { 'odd.js': 'export default 7;' },
  broken: { 'broken.js': 'export default (' },
  throwing: { 'throwing.js': 'throw new Error("at load")' },
  empty: {},
  'nothing.js': 'export const help = 1;',
});
const at = (...parts: string[]): string => join(outside, ...parts);
async function types(...paths: string[]): Promise<string[]> {
  return (await loadPerformers(paths)).map(({ performer }) => performer.type).sort();
}

async function refusal(...paths: string[]): Promise<RepriseError> {
  const error: unknown = await loadPerformers(paths).then(() => undefined, (error: unknown) => error);
  if (!(error instanceof RepriseError)) throw new Error(`not refused: ${paths.join(', ')}`);
  t.equal(error.code, 'PERFORMER_NOT_LOADED');
  return error;
}

t.test('performers load from files and folders', async (t) => {
  t.same(await types(at('plain.js'), at('module.mjs'), at('typed.ts')), ['module', 'plain', 'typed']);
  t.same(await types(at('several')), ['one', 'two']);
  t.same(await types(at('several'), at('several', 'many.js')), ['one', 'two'], 'named twice');
  t.same(await types(examples), ['compress', 'flaky', 'sleep', 'square']);
});

t.test('what cannot be loaded is refused, with the reason', async (t) => {
  const same = await refusal(at('same'));
  t.match(same.message, at('same', 'a.js'));
  t.match(same.message, at('same', 'b.js'));
  t.match((await refusal(at('twice'))).message, /two performers for the job type x/);
  t.match((await refusal(at('odd'))).message, /must be a performer/);
  t.match((await refusal(at('nothing.js'))).message, /must be a performer/, 'a file that was named must have one');
  t.match((await refusal(at('broken'))).message, /broken\.js/);
  t.match((await refusal(at('throwing'))).message, /at load/);
  t.match((await refusal(at('empty'))).message, /no performer/);
  t.match((await refusal(at('missing.js'))).message, /cannot be read/);
  t.match((await refusal(at('several', 'notes.md'))).message, /only \.js/);
  t.match((await refusal()).message, /no performer/);
});

t.test('performers load in a folder without any package, in a process of its own', async (t) => {
  const bare = await mkdtemp(join(tmpdir(), 'reprise-load-'));
  t.teardown(() => rm(bare, { recursive: true }));
  const load = new URL('./load.ts', import.meta.url).href;
  const files = {
    'square.ts': `${IMPORT} import { two } from "./two.js";
      export default performer("square", async ({ n }: { n: number }) => n ** two);
    `,
    'two.ts': 'export const two: number = 2;\n',
    'cube.js': `${IMPORT}\nexport default performer("cube", ({ n }) => n ** 3);\n`,
    'main.mjs': `import { loadPerformers } from ${JSON.stringify(load)};
      for (const { performer } of await loadPerformers(process.argv.slice(2))) {
        console.log(performer.type, await performer.handle({ n: 3 }));
      }`,
  };
  for (const [name, text] of Object.entries(files)) await writeFile(join(bare, name), text);
  const run = async (...names: string[]): Promise<string> => {
    const paths = ['main.mjs', ...names].map((name) => join(bare, name));
    return (await promisify(execFile)(process.execPath, ['--import', import.meta.resolve('tsx'), ...paths])).stdout;
  };
  t.equal(await run('square.ts', 'cube.js'), 'square 9\ncube 27\n');
  t.equal(await run('cube.js'), 'cube 27\n');
  t.equal(await run('cube.js', 'square.ts'), 'cube 27\nsquare 9\n');
});
