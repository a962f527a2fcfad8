import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { RepriseError } from '../protocols/errors.js';
import { loadPerformers } from './load.js';

const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const outside = t.testdir({
  'package.json': '{"type":"module"}',
  'plain.js': 'import { performer } from "reprise"; export default performer("plain", () => 1);',
  'module.mjs': 'import { performer } from "reprise"; export default performer("module", () => 1);',
  'typed.ts': 'import { performer } from "reprise"; interface N { n: number } export default performer("typed", ({ n }: N) => n);',
  several: {
    'many.js': 'import { performer } from "reprise"; export default [performer("one", () => 1), performer("two", () => 2)];',
    'helper.js': 'export const help = 1;',
    'types.d.ts': 'export default 1;',
    'many.test.js': 'throw new Error("a test")',
    '.hidden.js': 'throw new Error("hidden")',
    'notes.md': 'no',
  },
  same: {
    'a.js': 'import { performer } from "reprise"; export default performer("same", () => 1);',
    'b.js': 'import { performer } from "reprise"; export default performer("same", () => 1);',
  },
  twice: { 'twice.js': 'import { performer } from "reprise"; export default [performer("x", () => 1), performer("x", () => 1)];' },
  odd: { 'odd.js': 'export default 7;' },
  broken: { 'broken.js': 'export default (' },
  throwing: { 'throwing.js': 'throw new Error("at load")' },
  empty: {},
  'nothing.js': 'export const help = 1;',
});
const at = (...parts: string[]): string => join(outside, ...parts);
const types = async (...paths: string[]): Promise<string[]> => (await loadPerformers(paths)).map(({ performer }) => performer.type).sort();

async function refusal(...paths: string[]): Promise<RepriseError> {
  const error: unknown = await loadPerformers(paths).then(() => undefined, (error: unknown) => error);
  if (!(error instanceof RepriseError)) throw new Error(`not refused: ${paths.join(', ')}`);
  t.equal(error.code, 'PERFORMER_NOT_LOADED');
  return error;
}

t.test('files and folders', async (t) => {
  t.same(await types(at('plain.js'), at('module.mjs'), at('typed.ts')), ['module', 'plain', 'typed']);
  t.same(await types(at('several')), ['one', 'two']);
  t.same(await types(at('several'), at('several', 'many.js')), ['one', 'two'], 'named twice');
  t.same(await types(examples), ['compress', 'flaky', 'sleep', 'square']);
});

t.test('what is refused', async (t) => {
  const same = await refusal(at('same'));
  t.match(same.message, at('same', 'a.js'));
  t.match(same.message, at('same', 'b.js'));
  t.match((await refusal(at('twice'))).message, /two performers called x/);
  t.match((await refusal(at('odd'))).message, /not a performer/);
  t.match((await refusal(at('nothing.js'))).message, /not a performer/, 'a file that was named must have one');
  t.match((await refusal(at('broken'))).message, /broken\.js/);
  t.match((await refusal(at('throwing'))).message, /at load/);
  t.match((await refusal(at('empty'))).message, /no performer/);
  t.match((await refusal(at('missing.js'))).message, /cannot be read/);
  t.match((await refusal(at('several', 'notes.md'))).message, /only \.js/);
  t.match((await refusal()).message, /no performer/);
});

t.test('in a folder without any package, in a process of its own', async (t) => {
  const bare = await mkdtemp(join(tmpdir(), 'reprise-load-'));
  t.teardown(() => rm(bare, { recursive: true }));
  const load = new URL('./load.ts', import.meta.url).href;
  const files = {
    'square.ts': 'import { performer } from "reprise"; import { two } from "./two.js";\nexport default performer("square", async ({ n }: { n: number }) => n ** two);\n',
    'two.ts': 'export const two: number = 2;\n',
    'cube.js': 'import { performer } from "reprise";\nexport default performer("cube", ({ n }) => n ** 3);\n',
    'main.mjs': `import { loadPerformers } from ${JSON.stringify(load)};
      for (const { performer } of await loadPerformers(process.argv.slice(2))) console.log(performer.type, await performer.handle({ n: 3 }));`,
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
