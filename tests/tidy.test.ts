/** Rules for the code and the documents: imports, sizes, names, links. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { errorsPage } from './errors-page.js';

const root = fileURLToPath(new URL('..', import.meta.url));
const SKIPPED = new Set(['node_modules', 'dist', '.git', '.tap', '.reprise', 'gen', 'testdir', '.ci']);
const MOST_LINES = 300;
const MOST_COLUMNS = 120;
const README_LINES = 120;

function filesIn(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (SKIPPED.has(entry.name) || entry.name.startsWith('tap-testdir')) return [];
    const path = join(folder, entry.name);
    return entry.isDirectory() ? filesIn(path) : [relative(root, path)];
  });
}

const files = filesIn(root);
const code = files.filter((path) => /\.m?[jt]s$/.test(path));
const documents = files.filter((path) => path.endsWith('.md'));
const read = (path: string): string => readFileSync(join(root, path), 'utf8');

/**
 * Every top folder that holds code, and what it may import besides itself: bin → gateways, sdk, replay, audit →
 * projections, partition, worker → actors → streams → protocols. Type imports count.
 */
const BELOW_ACTORS = ['streams', 'protocols'];
const BELOW_LIBRARIES = ['projections', 'partition', 'worker', 'actors', ...BELOW_ACTORS];
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  protocols: [],
  streams: ['protocols'],
  actors: BELOW_ACTORS,
  partition: ['actors', ...BELOW_ACTORS],
  projections: ['actors', ...BELOW_ACTORS],
  worker: ['actors', ...BELOW_ACTORS],
  gateways: BELOW_LIBRARIES,
  sdk: BELOW_LIBRARIES,
  replay: BELOW_LIBRARIES,
  audit: BELOW_LIBRARIES,
  bin: ['gateways', 'sdk', 'replay', 'audit', ...BELOW_LIBRARIES],
  bench: ['bin', 'gateways', 'sdk', ...BELOW_LIBRARIES],
  tests: ['bench', 'bin', 'gateways', 'sdk', 'replay', 'audit', ...BELOW_LIBRARIES],
  examples: [],
};
const isTest = (path: string): boolean => path.endsWith('.test.ts');

const FROM = /(?:^|\n)\s*(?:import|export)\b[^;'"]*?from\s*['"]([^'"]+)['"]/;
const DYNAMIC = /\bimport\(\s*['"]([^'"]+)['"]/;
const BARE = /(?:^|\n)import\s+['"]([^'"]+)['"]/;
const IMPORT = new RegExp([FROM, DYNAMIC, BARE].map(({ source }) => source).join('|'), 'g');

function importsOf(path: string): string[] {
  const statements = read(path).matchAll(IMPORT);
  return [...statements].map(([, from, dynamic, bare]) => (from ?? dynamic ?? bare)!);
}

t.test('imports point one way', async (t) => {
  const wrong = code.filter((path) => !isTest(path)).flatMap((path) => {
    const room = path.split('/')[0]!;
    const allowed = MAY_IMPORT[room];
    if (allowed === undefined) return path.includes('/') ? [`${room}/ is not in the table of folders`] : [];
    return importsOf(path).filter((each) => each.startsWith('.')).flatMap((each) => {
      const target = normalize(join(dirname(path), each));
      const other = target.split('/')[0]!;
      return target.includes('/') && other !== room && !allowed.includes(other) ? [`${path} imports ${target}`] : [];
    });
  });
  t.strictSame(wrong, []);
  const ofActors = code.filter((path) => path.startsWith('actors/'));
  t.ok(ofActors.some((path) => importsOf(path).some((each) => each.includes('protocols'))), 'imports are found at all');
});

t.test('no files import each other, in however wide a circle', async (t) => {
  const targetsOf = (path: string): string[] => importsOf(path).filter((each) => each.startsWith('.')).map((each) => {
    const target = normalize(join(dirname(path), each));
    return code.includes(target) ? target : target.replace(/\.js$/, '.ts');
  });
  const targets = new Map(code.map((path) => [path, targetsOf(path)]));
  const circles: string[][] = [];
  const done = new Set<string>();
  const visit = (path: string, way: readonly string[]): void => {
    if (way.includes(path)) return void circles.push([...way.slice(way.indexOf(path)), path]);
    if (done.has(path)) return;
    for (const next of targets.get(path) ?? []) visit(next, [...way, path]);
    done.add(path);
  };
  for (const path of code) visit(path, []);
  t.strictSame(circles, []);
});

t.test('the foreign worker imports nothing of ours', async (t) => {
  const foreign = importsOf('tests/foreign-worker.ts').filter((each) => !each.startsWith('node:'));
  t.strictSame(foreign.sort(), ['nats', 'protobufjs']);
});

t.test(`no file of code is longer than ${MOST_LINES} lines`, async (t) => {
  const lengths = code.map((path) => [path, read(path).trimEnd().split('\n').length] as const);
  t.strictSame(lengths.filter(([, lines]) => lines > MOST_LINES), []);
});

/** The tables of tests may be wider. */
const MAY_BE_WIDE = /\.test\.ts$/;
/** Written by `npm run bench`, and records of decisions that are not edited. */
const NOT_WRITTEN_HERE = /^docs\/(benchmarks\.md|adr\/\d)/;

t.test(`no line of code is longer than ${MOST_COLUMNS} columns outside of tests`, async (t) => {
  t.strictSame(code.filter((path) => !MAY_BE_WIDE.test(path)).flatMap((path) => tooWide(path, read(path))), []);
});

t.test(`no line of a document is longer than ${MOST_COLUMNS} columns outside of tables and code`, async (t) => {
  const written = documents
    .filter((path) => /^docs\/|^README|^CONTRIBUTING/.test(path) && !NOT_WRITTEN_HERE.test(path));
  // Blocks of code become empty lines, so that the numbers of the others stay right.
  const withoutCode = (text: string): string =>
    text.replaceAll(/```[\s\S]*?```/g, (block) => block.replaceAll(/.+/g, ''));
  const wide = written.flatMap((path) => tooWide(path, withoutCode(read(path))));
  t.strictSame(wide.filter((line) => !/: \|/.test(line)), []);
});

function tooWide(path: string, text: string): string[] {
  return text.split('\n').flatMap((line, n) => (line.length > MOST_COLUMNS ? [`${path}:${n + 1}: ${line}`] : []));
}

t.test('private members are written with the word private, not with #', async (t) => {
  const hashed = /\bthis\.#\w|^\s+(?:(?:static|readonly|async|get|set) )*#\w+\s*[(:=;!?<]/;
  const found = code.flatMap((path) => read(path).split('\n').flatMap((line, n) =>
    (hashed.test(line) ? [`${path}:${n + 1}: ${line}`] : [])));
  t.strictSame(found, []);
});

t.test('nothing is called utils or common', async (t) => {
  t.strictSame(files.filter((path) => /(^|\/)(utils?|common|helpers?|misc)(\.|\/|$)/i.test(path)), []);
});

t.test('types are not talked away', async (t) => {
  const away = /\bas any\b|:\s*any\b(?!\s+\w)|<any>|@ts-(ignore|nocheck|expect-error)/;
  // In the second, each line must be an error: a step cannot write.
  const exempt = ['tests/tidy.test.ts', 'tests/counter/reading.ts'];
  const comment = /\/\*.*\*\/|^\s*(\*|\/\*\*).*$|\/\/(?!.*@ts-).*$/;
  const typed = code.filter((path) => path.endsWith('.ts') && !exempt.includes(path));
  const found = typed.flatMap((path) => read(path).split('\n').flatMap((line, n) =>
    (away.test(line.replace(comment, '')) ? [`${path}:${n + 1}: ${line.trim()}`] : [])));
  t.strictSame(found, []);
});

t.test('docs/errors.md is the error table (write it: npx tsx tests/errors-page.ts > docs/errors.md)', async (t) => {
  t.equal(read('docs/errors.md'), errorsPage());
});

t.test('the README is short, and every relative link of every document leads somewhere', async (t) => {
  if (existsSync(join(root, 'README.md'))) {
    t.ok(read('README.md').trimEnd().split('\n').length <= README_LINES, `at most ${README_LINES} lines`);
  }
  const broken = documents.flatMap((path) =>
    [...read(path).replaceAll(/```[\s\S]*?```|`[^`\n]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target]) => target!)
      .filter((target) => !/^[a-z]+:|^#/.test(target))
      .filter((target) => !leadsSomewhere(path, target))
      .map((target) => `${path} → ${target}`));
  t.strictSame(broken, []);
});

/** @param target a path, perhaps with the anchor of a heading */
function leadsSomewhere(from: string, target: string): boolean {
  const [path = '', anchor] = target.split('#');
  const at = join(root, dirname(from), decodeURIComponent(path));
  if (!existsSync(at)) return false;
  if (!anchor || !path.endsWith('.md') || statSync(at).isDirectory()) return true;
  const anchorOf = (heading: string): string =>
    heading.toLowerCase().replaceAll(/[^\w\- ]/g, '').trim().replaceAll(' ', '-');
  const headings = [...readFileSync(at, 'utf8').matchAll(/^#+\s+(.*)$/gm)].map(([, text]) => anchorOf(text!));
  return headings.includes(anchor);
}
