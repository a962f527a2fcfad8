/** The rule that code which decides and folds has no clock and no chance: what oxlint refuses there. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');

interface Diagnostic {
  readonly code: string;
  readonly labels: readonly { readonly span: { readonly line: number } }[];
}

/** What oxlint says of a file at this path, by its line. */
async function refusedLines(dir: string, path: string, lines: readonly string[]): Promise<number[]> {
  await mkdir(join(dir, dirname(path)), { recursive: true });
  await writeFile(join(dir, path), `${lines.join('\n')}\n`);
  // By a shell: tap gives its hooks to every Node process that a test starts, and oxlint does not start with them.
  const oxlint = join(root, 'node_modules/.bin/oxlint');
  const command = `NODE_OPTIONS= exec '${oxlint}' -c .oxlintrc.json --format json -A all '${path}'`;
  const said = await new Promise<string>((resolve) =>
    void execFile('/bin/sh', ['-c', command], { cwd: dir }, (_, stdout) => resolve(stdout)));
  const { diagnostics } = JSON.parse(said) as { diagnostics: Diagnostic[] };
  const refused = diagnostics.filter(({ code }) => code.includes('no-restricted'));
  const found = refused.map(({ labels }) => labels[0]!.span.line);
  return [...new Set(found)].sort((a, b) => a - b);
}

/** Each line is refused. */
const REFUSED = [
  "import { randomBytes } from 'node:crypto';",
  "import { hash as sha, randomUUID } from 'node:crypto';",
  "import * as everything from 'node:crypto';",
  "import nodeCrypto from 'node:crypto';",
  "import { getRandomValues } from 'crypto';",
  "import { performance as clock } from 'node:perf_hooks';",
  "import { setTimeout as later } from 'node:timers';",
  "import { setTimeout as wait } from 'node:timers/promises';",
  "import { hrtime } from 'node:process';",
  'export const a = globalThis.performance.now();',
  "export const b = globalThis['Date'];",
  'export const c = global.setTimeout;',
  'export const d = Math.random();',
  'export const e = new Date();',
];
const ALLOWED = ["import { createHash, hash } from 'node:crypto';", 'export const f = Math.floor(1);'];

const PLACES = [
  'actors/x.ts', 'actors/job/x.ts', 'partition/core/x.ts', 'partition/leader/x.ts', 'projections/jobs.ts',
  'protocols/lenient.ts', 'streams/content.ts', 'streams/contents.ts', 'streams/encoded-commit.ts', 'streams/fields.ts',
];

t.test('code that decides and folds may have neither clock nor chance', async (t) => {
  // Not in t.testdir(): git ignores it, so oxlint does.
  const dir = await mkdtemp(join(tmpdir(), 'reprise-lint-'));
  t.teardown(() => rm(dir, { recursive: true }));
  await cp(join(root, '.oxlintrc.json'), join(dir, '.oxlintrc.json'));
  const all = REFUSED.map((_, nth) => nth + 1);
  for (const path of PLACES) t.strictSame(await refusedLines(dir, path, [...REFUSED, ...ALLOWED]), all, path);
  const dates = ['export const a = new Date(1).toISOString();', 'export const b = Date.now();', REFUSED[0]!];
  t.strictSame(await refusedLines(dir, 'replay/steps.ts', dates), [2, 3], 'which may show a time that it is given');
});
