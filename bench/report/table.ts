/** The report as lines of text: a table of medians, then the settings that they were measured with. */
import type { Measured, Report, Run } from '../results.js';

/** A line of the table. */
export interface Row {
  readonly what: string;
  /** Bigger is better, or smaller. */
  readonly better: 'more' | 'less';
  readonly unit: string;
  readonly of: (run: Run) => number | undefined;
}

export function rowsOf({ conditions, measured }: Report): Row[] {
  const throughputs = conditions.bulk.map((bulk): Row => ({ what: `submit and process, bulk ${bulk}`, better: 'more', unit: 'jobs/s', of: (run) => run.together[bulk]?.jobsPerSecond }));
  const drained: Row = { what: 'drain a filled queue', better: 'more', unit: 'jobs/s', of: (run) => run.drain.jobsPerSecond };
  const latencies: Row[] = [
    { what: 'submit to result, p50', better: 'less', unit: 'ms', of: (run) => run.latency.p50Ms },
    { what: 'submit to result, p99', better: 'less', unit: 'ms', of: (run) => run.latency.p99Ms },
    { what: 'submit to result, p99.9', better: 'less', unit: 'ms', of: (run) => run.latency.p999Ms },
  ];
  return [...throughputs, drained, ...latencies, ...conditions.bulk.flatMap((bulk) => cpuRows(measured, bulk))];
}

/** A line for every role that any contender has a process for. */
function cpuRows(measured: readonly Measured[], bulk: number): Row[] {
  const roles = new Set(measured.flatMap(({ median }) => Object.keys(median.together[bulk]?.cpu ?? {})));
  return [...roles].map((role) => ({ what: `CPU of ${role}, bulk ${bulk}`, better: 'less', unit: 's per 1,000 jobs', of: (run) => run.together[bulk]?.cpu?.[role] }));
}

export const shown = (value: number | undefined, unit: string): string => {
  if (value === undefined) return '–';
  if (unit === 'jobs/s') return Math.round(value).toLocaleString('en-US');
  return value.toFixed(unit === 'ms' ? 2 : 3);
};

export const conditionsLine = ({ conditions: c, machine: m }: Report): string =>
  `${c.workers} worker processes, ${c.concurrency} jobs at a time in each; ${c.jobs.toLocaleString('en-US')} no-op jobs of ${c.payloadBytes} bytes from one client process, ` +
  `${c.outstanding} requests outstanding; latency of ${c.samples.toLocaleString('en-US')} jobs, one at a time; medians of ${c.runs} run${c.runs === 1 ? '' : 's'}. ` +
  `${m.cores} cores (${m.cpu}), ${m.memoryGb} GB, ${m.system}, Node ${m.node}.`;

export function journalLine({ journal }: Report): string | undefined {
  if (journal === undefined) return undefined;
  const { commitsPerSecond, eventsPerSecond, eventsPerCommit } = journal;
  const whole = (value: number): string => Math.round(value).toLocaleString('en-US');
  return `The bare journal, commits of ${eventsPerCommit} events, one in flight, synced each: ${whole(commitsPerSecond)} commits/s, ${whole(eventsPerSecond)} events/s.`;
}

export function tableOf(report: Report): string {
  const header = ['', ...report.measured.map(({ name }) => name), ''];
  const lines = rowsOf(report).map(({ what, unit, of }) => [what, ...report.measured.map(({ median }) => shown(of(median), unit)), unit]);
  const settings = report.measured.flatMap(({ name, settings: s }) => ['', `${name}: ${s.version}`, `  durability  ${s.durability}`, ...s.tuning.map((line) => `  setting     ${line}`), `  completed   ${s.completion}`, `  result      ${s.result}`]);
  const absent = report.absent.map(({ name, why, missing }) => `${name} ${missing ? 'skipped' : 'FAILED'}: ${why}`);
  const journal = journalLine(report);
  return [conditionsLine(report), '', ...aligned([header, ...lines]), ...(journal ? ['', journal] : []), ...settings, '', ...absent].join('\n').trimEnd();
}

/** The first column to the left, the others to the right, but for the last: units. */
function aligned(lines: readonly (readonly string[])[]): string[] {
  const widths = (lines[0] ?? []).map((_, column) => Math.max(...lines.map((line) => line[column]?.length ?? 0)));
  return lines.map((line) => line.map((cell, column) => (column === 0 || column === line.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join('  ').trimEnd());
}
