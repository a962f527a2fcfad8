/** Queues as people read them. */
import type { QueueStats } from '../../sdk/queues.js';
import { durationText } from '../figures.js';
import { settingLines } from './settings-lines.js';
import { keptText } from '../retention/lines.js';
import { table } from '../table.js';
import { paint, visible } from '../terminal.js';

const HEADINGS = ['queue', 'status', 'ready', 'scheduled', 'running', 'retrying', 'oldest waits', 'settings'] as const;

/** A table, one line for each queue. */
export const tableOf = (queues: readonly QueueStats[]): Generator<string> =>
  table(HEADINGS, queues.map((stats) => ({
    cells: cells(stats), colour: stats.status === 'paused' ? 'yellow' as const : undefined,
  })));

const cells = ({ queue, status, ready, scheduled, running, retrying, ...more }: QueueStats): string[] =>
  [
    queue, status, ...[ready, scheduled, running, retrying].map(String),
    ready === 0 ? '-' : durationText(more.oldestWaitingMs),
    more.settings ? Object.keys(more.settings).join(' ') : '-',
  ];

export function* linesOf(stats: QueueStats): Generator<string> {
  const line = (name: string, value: string): string => `${name.padEnd(12)} ${value}`;
  yield line('queue', stats.queue);
  yield line('status', stats.status === 'paused' ? paint('yellow', 'paused') : stats.status);
  if (stats.paused) {
    const { by, sinceMs, reason, group } = stats.paused;
    if (group !== '') yield line('with', `its group ${group}/`);
    yield line('since', new Date(sinceMs).toISOString());
    yield line('by', by === '' ? 'unknown (no principal given)' : visible(by));
    if (reason !== '') yield line('reason', visible(reason));
  }
  yield line('ready', String(stats.ready));
  yield line('scheduled', String(stats.scheduled));
  yield line('running', String(stats.running));
  yield line('retrying', String(stats.retrying));
  if (stats.ready > 0) yield line('oldest waits', durationText(stats.oldestWaitingMs));
  if (stats.contentMs > 0) yield line('contents', `kept ${keptText(stats.contentMs)} in the archive`);
  if (stats.settings === undefined) return;
  for (const [name, value] of settingLines(stats.settings)) yield line(name, value);
  const { settingsBy: by, settingsSinceMs: sinceMs } = stats;
  yield line('set', new Date(sinceMs).toISOString());
  yield line('set by', by === '' ? 'unknown (no principal given)' : visible(by));
}
