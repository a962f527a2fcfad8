/** What holds the documents to the code: made ones are fresh, and the files, codes and tests that they name exist. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { KINDS } from '../../actors/kinds.js';
import { ERRORS } from '../../protocols/errors.js';
import { LIMITS } from '../../protocols/limits.js';
import { decisionsIn } from './decisions.js';
import { ADR_FOLDER, DOCS, GENERATED } from './generated.js';

const ROOT = fileURLToPath(new URL('../', DOCS));
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const linesOf = (text: string): number => text.trimEnd().split('\n').length;

/** How long each may be, so that it is read to its end. */
const MOST_LINES: Readonly<Record<string, number>> = {
  'CONTRIBUTING.md': 100, 'docs/architecture.md': 230, 'docs/message.md': 120, 'docs/lifecycle.md': 220,
};
const DOCUMENTS = [
  ...readdirSync(ROOT).filter((name) => name.endsWith('.md')),
  ...readdirSync(DOCS, { recursive: true }).map(String).filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

t.test('made documents are fresh', (t) => {
  for (const { file, make } of GENERATED) {
    t.equal(read(join('docs', file)), make(), `docs/${file}; otherwise: npm run docs`);
  }
  t.end();
});

t.test('docs/lifecycle.md says when each event of each kind happens', (t) => {
  const page = read('docs/lifecycle.md');
  for (const { kind } of KINDS) {
    for (const type of Object.keys(kind.events)) t.match(page, `| \`${type}\` | `, `${kind.name}: ${type}`);
  }
  t.end();
});

t.test('files named in trees and recipes exist', (t) => {
  for (const document of ['docs/message.md', 'docs/architecture.md', 'CONTRIBUTING.md']) {
    for (const [, path] of read(document).matchAll(/(?<![\w./-])((?:protocols|streams|actors|partition|worker|projections|gateways|sdk|replay|audit|bin|tests|examples)\/[\w./-]*\.(?:ts|proto|mjs))/g)) {
      if (!path!.includes('<')) t.ok(existsSync(join(ROOT, path!)), `${document} names ${path}`);
    }
  }
  t.end();
});

t.test('tests that invariants refer to exist by that name', (t) => {
  const invariants = read('docs/architecture.md').replaceAll(/\s+/g, ' ');
  const quoted = [...invariants.matchAll(/\]\(\.\.\/([\w./-]+\.ts)\) “([^”]+)”/g)];
  t.ok(quoted.length >= 8, 'the invariants name their tests');
  for (const [, file, name] of quoted) {
    t.ok(read(file!).includes(name!.replaceAll('…', '')), `${file} has “${name}”`);
  }
  t.end();
});

t.test('codes that are named exist', (t) => {
  for (const document of ['README.md', 'docs/architecture.md', 'docs/message.md']) {
    for (const [, code] of read(document).matchAll(/\b([A-Z]{4,}_[A-Z_]{3,})\b/g)) {
      if (!code!.startsWith('REPRISE_')) t.ok(Object.hasOwn(ERRORS, code!), `${document} names ${code}`);
    }
  }
  t.end();
});

t.test('decisions are numbered without gaps and built alike', (t) => {
  const decisions = decisionsIn(ADR_FOLDER);
  t.same(decisions.map(({ number }) => number), decisions.map((_, nth) => nth + 1));
  for (const { file, number, text } of decisions) {
    t.match(text, new RegExp(`^# ADR ${number}: `), `${file} says its number`);
    const headings = [...text.matchAll(/^## (.+)$/gm)].map(([, heading]) => heading);
    t.same(headings, ['Context', 'Decision', 'Consequences', 'Numbers'], `${file} has the template's headings`);
    t.ok(linesOf(text) <= 70, `${file} has at most 70 lines`);
  }
  t.end();
});

t.test('documents keep to their length and say the guarantee in the one way', (t) => {
  for (const [document, most] of Object.entries(MOST_LINES)) {
    t.ok(linesOf(read(document)) <= most, `${document} has ${linesOf(read(document))} of ${most} lines`);
  }
  const guarantee = 'observed as completed exactly once; a handler may run more than once';
  for (const document of ['README.md', 'docs/architecture.md']) t.match(read(document), guarantee, document);
  for (const document of DOCUMENTS) {
    const more = /exactly[- ]once (execution|delivery|processing)/i;
    t.notMatch(read(document), more, `${document} promises no more than that`);
  }
  t.match(read('docs/architecture.md'), `1 to ${LIMITS.commitEvents} events`, 'the bound of a commit is the code’s');
  t.end();
});
