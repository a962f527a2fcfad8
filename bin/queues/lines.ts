/** Queues as people read them. */
import type { QueueStats } from '../../sdk/queues.js';
import { paint, visible } from '../terminal.js';

const HEADINGS = ['queue', 'status', 'ready', 'scheduled', 'running', 'retrying', 'oldest waits'] as const;

/** A table, one line for each queue. */
export function* tableOf(queues: readonly QueueStats[]): Generator<string> {
  const rows = queues.map(cells);
  const widths = HEADINGS.map((heading, column) => Math.max(heading.length, ...rows.map((row) => row[column]!.length)));
  const line = (row: readonly string[]): string =>
    row.map((cell, column) => cell.padEnd(widths[column]!)).join('  ').trimEnd();
  yield paint('gray', line(HEADINGS));
  for (const [nth, row] of rows.entries()) {
    yield queues[nth]!.status === 'paused' ? paint('yellow', line(row)) : line(row);
  }
}

const cells = ({ queue, status, ready, scheduled, running, retrying, oldestWaitingMs }: QueueStats): string[] =>
  [
    queue, status, ...[ready, scheduled, running, retrying].map(String), ready === 0 ? '-' : duration(oldestWaitingMs),
  ];

export function* linesOf(stats: QueueStats): Generator<string> {
  const line = (name: string, value: string): string => `${name.padEnd(12)} ${value}`;
  yield line('queue', stats.queue);
  yield line('status', stats.status === 'paused' ? paint('yellow', 'paused') : stats.status);
  if (stats.paused) {
    const { by, sinceMs, reason } = stats.paused;
    yield line('since', new Date(sinceMs).toISOString());
    yield line('by', by === '' ? 'unknown (no principal given)' : visible(by));
    if (reason !== '') yield line('reason', visible(reason));
  }
  yield line('ready', String(stats.ready));
  yield line('scheduled', String(stats.scheduled));
  yield line('running', String(stats.running));
  yield line('retrying', String(stats.retrying));
  if (stats.ready > 0) yield line('oldest waits', duration(stats.oldestWaitingMs));
}

const UNITS = [['d', 86_400_000], ['h', 3_600_000], ['m', 60_000], ['s', 1_000]] as const;

/** The two largest units: `3h 12m`. Below a second, milliseconds. */
function duration(ms: number): string {
  if (ms < 1_000) return `${ms}ms`;
  const first = UNITS.findIndex(([, unit]) => ms >= unit);
  const parts = UNITS.slice(first, first + 2).map(([name, unit], nth) =>
    `${Math.floor((nth === 0 ? ms : ms % UNITS[first]![1]) / unit)}${name}`);
  return parts.filter((part) => !part.startsWith('0')).join(' ');
}
