/** The figures of the fleet as text, and as a section of docs/benchmarks.md. */
import type { FleetResults } from './run.js';

const BEGIN = '<!-- fleet: made by `npm run bench -- --scenario fleet --write-docs` -->';
const END = '<!-- end of fleet -->';

const whole = (value: number): string => value.toLocaleString('en-US');

/** A line for each number of jobs and classes, a column for each number of workers. */
function leaseRows({ leases }: FleetResults): string[][] {
  const workers = [...new Set(leases.map((each) => each.workers))];
  const rows = new Map<string, string[]>();
  for (const { jobs, classes, leaseUs } of leases) {
    const name = `${whole(jobs)} jobs in ${whole(classes)} class${classes === 1 ? '' : 'es'}`;
    rows.set(name, [...(rows.get(name) ?? []), leaseUs.toFixed(1)]);
  }
  const header = ['µs a lease', ...workers.map((count) => `${whole(count)} workers`)];
  return [header, ...[...rows].map(([name, row]) => [name, ...row])];
}

function figures({ growth, blocked, memory, why }: FleetResults): string[][] {
  return [
    ['figure', 'measured', 'asked'],
    ['largest by smallest corner, in turns', growth.toFixed(2), 'below 1.50'],
    ['lease behind 1,000 full limits', `${blocked.laterUs.toFixed(0)} µs`, 'below 50 µs'],
    ['the first such lease of a process', `${blocked.firstUs.toFixed(0)} µs`, ''],
    [`resident with ${whole(memory.jobs)} jobs of 1 KB`, `${memory.residentMb.toFixed(0)} MB`, 'below 500 MB'],
    ...why.map(({ jobs, classes, workers, ms }) => [
      `job.why: ${whole(jobs)} jobs, ${whole(classes)} classes, ${whole(workers)} workers`,
      `${ms.toFixed(1)} ms`, 'below 10 ms',
    ]),
  ];
}

export function fleetText(results: FleetResults): string {
  return [aligned(leaseRows(results)), aligned(figures(results))].join('\n\n');
}

export function fleetSection(results: FleetResults): string {
  const { machine: m } = results;
  return [
    BEGIN, '## The fleet',
    'The leader’s core alone in a process; CPU time of a lease, from the pull to its event, of the quiet quarter of '
      + 'the blocks. All workers differ, and each can do about half of the classes. Jobs of 1 KB have a key, labels, '
      + '`require`, `prefer` and a time to start.',
    `${m.cores} cores (${m.cpu}), ${m.memoryGb} GB, ${m.system}, Node ${m.node}.`,
    table(leaseRows(results)), table(figures(results)), END,
  ].join('\n\n');
}

/** @param from a document or a section whose fleet section takes the place of that in the document */
export function withFleet(document: string, from: string): string {
  const [begin, end] = [from.indexOf(BEGIN), from.indexOf(END)];
  if (begin < 0 || end < 0) return document;
  const section = from.slice(begin, end + END.length);
  const [before, after] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (before < 0 || after < 0) return `${document.trimEnd()}\n\n${section}\n`;
  return document.slice(0, before) + section + document.slice(after + END.length);
}

const table = ([header, ...rows]: readonly (readonly string[])[]): string => {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(header!), line(header!.map((_, nth) => (nth === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n');
};

function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => row[column]!.length)));
  const padded = (cell: string, at: number): string =>
    (at === 0 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!));
  return rows.map((row) => row.map(padded).join('  ')).join('\n');
}
