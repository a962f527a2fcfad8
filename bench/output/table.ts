/** The results as text: a table of medians, then the settings that they were measured with. */
import type { Measured, BenchResults, Run } from '../results.js';

/** A line of the table. */
export interface Row {
  readonly what: string;
  /** Whether more or less is better. */
  readonly better: 'more' | 'less';
  readonly unit: string;
  readonly of: (run: Run) => number | undefined;
}

export function rowsOf({ conditions, measured }: BenchResults): Row[] {
  const throughputs = conditions.bulk.map((bulk): Row => ({
    what: `submit and process, bulk ${bulk}`,
    better: 'more',
    unit: 'jobs/s',
    of: (run) => run.together[bulk]?.jobsPerSecond,
  }));
  const drained: Row = {
    what: 'drain a filled queue',
    better: 'more',
    unit: 'jobs/s',
    of: (run) => run.drain.jobsPerSecond,
  };
  const latencies: Row[] = [
    { what: 'submit to result, p50', better: 'less', unit: 'ms', of: (run) => run.latency.p50Ms },
    { what: 'submit to result, p99', better: 'less', unit: 'ms', of: (run) => run.latency.p99Ms },
    { what: 'submit to result, p99.9', better: 'less', unit: 'ms', of: (run) => run.latency.p999Ms },
  ];
  return [...throughputs, drained, ...latencies, ...conditions.bulk.flatMap((bulk) => cpuRows(measured, bulk))];
}

/** A line for every role that a contender has a process for. */
function cpuRows(measured: readonly Measured[], bulk: number): Row[] {
  const roles = new Set(measured.flatMap(({ median }) => Object.keys(median.together[bulk]?.cpu ?? {})));
  return [...roles].map((role) => ({
    what: `CPU of ${role}, bulk ${bulk}`,
    better: 'less',
    unit: 's per 1,000 jobs',
    of: (run) => run.together[bulk]?.cpu?.[role],
  }));
}

const whole = (value: number): string => Math.round(value).toLocaleString('en-US');

export const shown = (value: number | undefined, unit: string): string => {
  if (value === undefined) return '–';
  if (unit === 'jobs/s') return whole(value);
  return value.toFixed(unit === 'ms' ? 2 : 3);
};

export const conditionsLine = ({ conditions: c, machine: m }: BenchResults): string =>
  `${c.workers} worker processes, ${c.concurrency} jobs at a time in each; ` +
  `${whole(c.jobs)} no-op jobs of ${c.payloadBytes} bytes from one client process, ` +
  `${c.outstanding} calls outstanding; latency of ${whole(c.samples)} jobs, one at a time; ` +
  `medians of ${c.runs} run${c.runs === 1 ? '' : 's'}. ` +
  `${m.cores} cores (${m.cpu}), ${m.memoryGb} GB, ${m.system}, Node ${m.node}.`;

export function journalLine({ journal }: BenchResults): string | undefined {
  if (journal === undefined) return undefined;
  const { commitsPerSecond, eventsPerSecond, eventsPerCommit } = journal;
  const speed = `${whole(commitsPerSecond)} commits/s, ${whole(eventsPerSecond)} events/s`;
  return `The bare journal, commits of ${eventsPerCommit} events, one in flight, synced each: ${speed}.`;
}

export function tableOf(results: BenchResults): string {
  const { measured } = results;
  const header = ['', ...measured.map(({ name }) => name), ''];
  const lines = rowsOf(results).map(({ what, unit, of }) => {
    return [what, ...measured.map(({ median }) => shown(of(median), unit)), unit];
  });
  const journal = journalLine(results);
  const absent = results.absent.map(({ name, why, missing }) => `${name} ${missing ? 'skipped' : 'FAILED'}: ${why}`);
  return [
    conditionsLine(results),
    '',
    ...aligned([header, ...lines]),
    ...(journal ? ['', journal] : []),
    ...measured.flatMap(settingsOf),
    '',
    ...absent,
  ].join('\n').trimEnd();
}

const settingsOf = ({ name, settings: s }: Measured): string[] => [
  '',
  `${name}: ${s.version}`,
  `  durability  ${s.durability}`,
  ...s.tuning.map((line) => `  setting     ${line}`),
  `  completed   ${s.completion}`,
  `  result      ${s.result}`,
];

/** The first column and the last, the units, are aligned to the left, the others to the right. */
function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  const padded = (cell: string, column: number, line: readonly string[]): string => {
    const width = widths[column] ?? 0;
    return column === 0 || column === line.length - 1 ? cell.padEnd(width) : cell.padStart(width);
  };
  return lines.map((line) => line.map(padded).join('  ').trimEnd());
}
