/** Each recipe of CONTRIBUTING.md, followed by its list of files: they are there, and hold what the recipe says. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { COMMANDS } from '../../actors/commands.js';
import { KINDS } from '../../actors/kinds.js';
import { SUBMIT } from '../../actors/job/job.submit.js';
import { VIEW_FIELDS } from '../../actors/job/job.view.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
const contributing = read('CONTRIBUTING.md');

/** The numbered steps of a recipe, each with the files that it names. */
function recipe(name: string): { text: string; files: string[] }[] {
  const section = contributing.split(`## ${name}\n`)[1]?.split('\n## ')[0] ?? '';
  const steps = section.split(/^\d+\. /m).slice(1);
  return steps.map((text) => ({ text, files: [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, path]) => path!) }));
}

const FOLDERS = (JSON.parse(read('tsconfig.json')) as { include: string[] }).include.filter((each) => each !== 'tests');
const NOT_BUILT = (JSON.parse(read('tsconfig.build.json')) as { exclude: string[] }).exclude;

const pathsIn = (folder: string): string[] =>
  (readdirSync(join(ROOT, folder), { recursive: true }) as string[]).map((path) => join(folder, path));
const isBuilt = (path: string): boolean => !NOT_BUILT.some((each) => path === each || path.startsWith(`${each}/`));

/** The code of the build that is not generated. */
const production = FOLDERS.flatMap((folder) => pathsIn(folder))
  .filter((path) => /(?<!\.test|\.d)\.ts$/.test(path) && isBuilt(path));

/** Where labels are more than a field of a job that is stored and shown. */
const OF_LABELS_ALONE = {
  'actors/worker/replies.ts': 'a lease brings them to the worker',
  'worker/performer/context.ts': 'a performer reads them',
  'worker/performer/performer.ts': 'a performer reads them',
  'actors/bulk/act.ts': 'an event is longer if they are long',
  'actors/filter/filter.ts': 'a filter may name them',
  'actors/filter/filterable.ts': 'a filter may name them',
  'actors/filter/parse.ts': 'a filter may name them',
  'actors/job/merged-list.ts': 'a page is shorter if they are long',
  'actors/job/page.ts': 'a page is shorter if they are long',
  'actors/fields.ts': 'the type of field that only labels have',
  'actors/job/job-copy.ts': 'a lease brings them to the worker',
  'actors/job/lines.ts': 'the value of one chooses the line of a job',
  'actors/job/fill-in.ts': 'a priority policy reads them',
  'protocols/bounds.ts': 'the type of field that only labels have',
  'protocols/limits.ts': 'how many there may be',
  'sdk/replies.ts': 'a map of a decoded message has a prototype',
};

const RECIPES = [
  'A new field of a job', 'A new event of a job', 'A new command', 'A new kind of actor', 'A new projection',
];

for (const name of RECIPES) {
  t.test(`${name}: every file of the recipe is there`, async (t) => {
    const steps = recipe(name);
    t.ok(steps.length >= 3, `${steps.length} steps`);
    for (const { files } of steps) for (const path of files) t.ok(existsSync(join(ROOT, path)), path);
  });
}

t.test('a field of a job: seven production files, and each of them names every field that is there already', async (t) => {
  const files = recipe('A new field of a job').flatMap((step) => step.files);
  t.equal(files.length, 7);
  const [proto, submit, state, row, view, show] = files.map(read);
  const snake = (field: string): string => field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  // A job has these by the same name from its submission to its view.
  const common = Object.keys(SUBMIT).filter((field) => (VIEW_FIELDS as readonly string[]).includes(field));
  t.ok(common.length >= 5, common.join());
  for (const field of common) {
    for (const message of ['SubmitJob', 'JobView']) {
      const body = proto!.split(`message ${message} {`)[1]!.split('\n}')[0]!;
      t.match(body, new RegExp(`\\b${snake(field)}(_json)? = `), `${field} in ${message}`);
    }
    for (const source of [submit!, state!, row!, view!, show!]) t.match(source, new RegExp(`\\b${field}\\b`), field);
  }
});

t.test('a field of a job: no other production file names one that is only stored and shown', async (t) => {
  const files = recipe('A new field of a job').flatMap((step) => step.files);
  t.ok(production.length > 150 && production.includes(files[1]!), `${production.length} files`);
  // A worker has labels as well.
  const ofJobs = production.filter((path) => !/^(actors\/matching|bench)\//.test(path));
  const naming = ofJobs.filter((path) => /\blabels\b/.test(read(path))).sort();
  const expected = [...files.filter((path) => path.endsWith('.ts')), ...Object.keys(OF_LABELS_ALONE)].sort();
  t.same(naming, expected, 'a new field would need these files');
});

t.test('an event of a job: the table, the chart, what it changes and the page of lifecycles know each of them', async (t) => {
  const files = recipe('A new event of a job').map((step) => step.files[0]!);
  const job = KINDS.find(({ kind }) => kind.name === 'job')!.kind;
  const sources = files.filter((each) => !each.endsWith('.test.ts'));
  for (const type of Object.keys(job.events)) {
    for (const path of sources) t.match(read(path), new RegExp(`\\b${type}\\b`), `${type} in ${path}`);
  }
});

t.test('a command: one file and one line each, and no other list of them', async (t) => {
  const list = read('actors/commands.ts');
  for (const { noun, verb } of COMMANDS) {
    // A snapshot is of no kind: its command has a folder of its own.
    const found = [...KINDS.map(({ kind }) => kind.name), noun].map((of) => `actors/${of}/commands/${verb}.ts`)
      .filter((path) => existsSync(join(ROOT, path)));
    const path = found.find((each) => read(each).includes(`noun: '${noun}'`));
    t.ok(path, `${noun}.${verb} is a file`);
    t.ok(list.includes(`'./${path?.slice('actors/'.length).replace(/\.ts$/, '.js')}'`), 'and a line');
  }
});

t.test('a kind: a folder and a line in the cast, and the core names none of them', async (t) => {
  const cast = read('actors/kinds.ts');
  for (const { kind } of KINDS) {
    t.ok(readdirSync(join(ROOT, 'actors', kind.name)).length > 0, `actors/${kind.name}/`);
    t.ok(cast.includes(`'./${kind.name}/`), 'its line');
  }
  const core = readdirSync(join(ROOT, 'partition/core'))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'));
  t.ok(core.length >= 8, core.join());
  for (const name of core) {
    for (const { kind } of KINDS) {
      t.notMatch(read(`partition/core/${name}`), new RegExp(`actors/${kind.name}/`), `${name} and ${kind.name}`);
    }
  }
});
