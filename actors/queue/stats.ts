/** How many jobs of a queue are in which status, counted by the index of the jobs. */
import { groupOf, isGroupName } from '../../protocols/ids.js';
import { recordedIn } from '../fields.js';
import { jobKind } from '../job/job.kind.js';
import type { ReadonlyLine } from '../job/line.js';
import { positionJson } from '../job/reply-json.js';
import { message, type Releasing, type Reply } from '../reply.js';
import type { Step } from '../step.js';
import type { queue as messages } from '../../protocols/messages.js';
import type { Configured } from './queue.js';
import { queueKind } from './queue.kind.js';
import { SETTINGS, type QueueSettings } from './settings.js';

export type QueueStats = messages.QueueStats.$Properties;

/** Looks at the lines of the queue, or of the queues of the group, not at their jobs. */
export function statsOf(step: Step, name: string): QueueStats {
  const queues = step.read(queueKind);
  const counts = { ready: 0, scheduled: 0, running: 0, retrying: 0 };
  let oldestMs = step.nowMs;
  for (const { ready, scheduled, running, retrying, oldest } of linesOf(step, name)) {
    counts.ready += ready;
    counts.scheduled += scheduled;
    counts.running += running;
    counts.retrying += retrying;
    oldestMs = Math.min(oldestMs, oldest?.submittedMs ?? oldestMs);
  }
  const holder = queues.holderOf(name);
  const status = holder ? 'paused' : 'open';
  const stats: QueueStats = { queue: name, status, ...counts, oldestWaitingMs: step.nowMs - oldestMs };
  stats.contentMs = step.retention.contentMs(name);
  if (holder) {
    const { id, by, sinceMs, reason } = holder;
    stats.paused = { by, sinceMs, reason, ...(id !== name && { group: groupOf(id) }) };
  }
  const configured = queues.get(name)?.configured;
  return configured ? { ...stats, ...settingsIn(configured) } : stats;
}

const settingsIn = ({ settings, by, sinceMs }: Configured): QueueStats =>
  ({ settings: settings as QueueStats['settings'], settingsBy: by, settingsSinceMs: sinceMs });

function* linesOf(step: Step, name: string): Generator<ReadonlyLine> {
  const { lines } = step.read(jobKind);
  if (!isGroupName(name)) return yield* lines.ofQueue(name);
  for (const queue of lines.queues) if (groupOf(queue) === groupOf(name)) yield* lines.ofQueue(queue);
}

export const statsReply = (stats: QueueStats, { position }: Releasing): Reply => message({ ...stats, position });

/** Of stats that may come from another broker: without the defaults of their message. */
export const settingsOf = ({ settings }: QueueStats): QueueSettings | undefined =>
  (settings ? (recordedIn(SETTINGS, settings) as QueueSettings) : undefined);

/** Zeros are shown: a count that is missing would be read as unknown. */
export function statsJson({ position, ...counts }: QueueStats): string {
  const settings = settingsOf(counts);
  return JSON.stringify({ ...counts, ...(settings && { settings }), position: positionJson(position) });
}
