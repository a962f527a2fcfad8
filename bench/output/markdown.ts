/** Renders the results as docs/benchmarks.md. */
import type { Measured, BenchResults } from '../results.js';
import { conditionsLine, journalLine, rowsOf, shown, type Row } from './table.js';

/** A table: what is compared with the first of it. */
interface Pairing {
  readonly title: string;
  readonly names: readonly [ours: string, ...theirs: string[]];
}

const PAIRINGS: readonly Pairing[] = [
  { title: 'Each at its own default', names: ['reprise', 'bullmq', 'graphile-worker'] },
  { title: 'At equal durability: synced before every reply', names: ['reprise', 'bullmq-always', 'graphile-worker'] },
  { title: 'At equal durability: synced every second', names: ['reprise-relaxed', 'bullmq'] },
];

export function markdownOf(results: BenchResults): string {
  const { measured, absent } = results;
  const journal = journalLine(results);
  return [
    '# Benchmarks',
    'Written by `npm run bench -- --write-docs`; it starts servers of its own on loopback and installs nothing.',
    conditionsLine(results),
    ...PAIRINGS.flatMap((pairing) => paired(results, pairing)),
    FACTOR,
    ...(journal ? [journal] : []),
    HOW,
    '## Versions, durability, settings',
    ...measured.map(settings),
    ...absent.map(({ name, why }) => `Not measured: ${name}. ${why}`),
  ].join('\n\n') + '\n';
}

const FACTOR =
  'The number in brackets is the advantage of the first column: how many times better its figure is, ' +
  'whether more or less is better. Below 1 the other one is better.';

/** Nothing if fewer than two of it were measured. */
function paired(results: BenchResults, { title, names }: Pairing): string[] {
  const measured = names.flatMap((name) => results.measured.find((one) => one.name === name) ?? []);
  const ours = measured.find(({ name }) => name === names[0]);
  if (measured.length < 2) return [];
  return [`## ${title}`, table({ ...results, measured }, ours)];
}

const HOW = `## What is measured

- **Submit and process**: from the first request to the last completion in the store, with idle workers at the start.
  Every run has a fresh server, and a warm-up of as many jobs as are measured.
- **Drain**: the queue is filled while the workers run but take no jobs; then they start to. From the first completion
  to the last.
- **Bulk 1**: each contender's own client with one job a call, and so many calls outstanding. The client of Reprise
  gathers the calls of one turn of the event loop into one request, which is its default.
- **The bulk path** (bulk 100) is held to the share of the bare journal's speed, measured in the same run
  ([ADR 8](adr/0008-speed-is-measured-against-the-bound.md)), not to the peers.
- **Submit to result**: one job at a time, until the client has its result.
- **CPU**: user and system time of each process with its threads and descendants while jobs are submitted and
  processed.

Contenders take turns, run by run, so that a slow minute of the machine affects all of them. How completions are
detected is listed below: only jobs that the store holds as completed count, and their number must be exact.`;

function table({ measured, ...rest }: BenchResults, ours: Measured | undefined): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  const names = measured.map(({ name }) => name);
  const rows = rowsOf({ measured, ...rest }).map((row) => {
    return line([`${row.what} (${row.unit})`, ...measured.map((one) => cell(row, one, ours))]);
  });
  return [line(['', ...names]), line(['---', ...names.map(() => '---:')]), ...rows].join('\n');
}

function cell({ of, unit, better }: Row, one: Measured, ours: Measured | undefined): string {
  const [theirs, mine] = [of(one.median), ours && of(ours.median)];
  const text = shown(theirs, unit);
  if (one === ours || !theirs || !mine) return text;
  return `${text} (${(better === 'more' ? mine / theirs : theirs / mine).toFixed(1)})`;
}

const settings = ({ name, settings: s }: Measured): string =>
  [
    `**${name}**: ${s.version}`,
    `- durability: ${s.durability}`,
    ...s.tuning.map((line) => `- ${line}`),
    `- completed: ${s.completion}`,
    `- result: ${s.result}`,
  ].join('\n');
