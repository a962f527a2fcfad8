/** Settings of retention as people read them. */
import type { RetentionSetting } from '../../sdk/retention.js';
import { durationText } from '../figures.js';
import { table } from '../table.js';
import { visible } from '../terminal.js';

const HEADINGS = ['queue', 'contents of ended jobs', 'since', 'by'] as const;

export const keptText = (contentMs: number): string =>
  (contentMs === 0 ? 'for ever' : `for ${durationText(contentMs)}`);

/** Defaults that are alike are one line: partitions that record the same. */
export function tableOf(settings: readonly RetentionSetting[]): Generator<string> {
  const defaults = settings.filter(({ queue }) => queue === '');
  const isOne = new Set(defaults.map(({ contentMs }) => contentMs)).size === 1;
  const shown = isOne ? [defaults[0]!, ...settings.filter(({ queue }) => queue !== '')] : settings;
  return table(HEADINGS, shown.map(({ partition, queue, contentMs, sinceMs, by }) => ({
    cells: [
      queue === '' ? `(default${isOne ? '' : ` of partition ${partition}`})` : queue, keptText(contentMs),
      new Date(sinceMs).toISOString(), by === '' ? '-' : visible(by),
    ],
  })));
}
