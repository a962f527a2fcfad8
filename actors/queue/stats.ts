/** How many jobs of a queue are in which status, counted by the index of the jobs. */
import { jobKind } from '../job/job.kind.js';
import { positionJson } from '../job/reply-json.js';
import { message, type Releasing, type Reply } from '../reply.js';
import type { Step } from '../step.js';
import type { queue as messages } from '../../protocols/messages.js';
import { queueKind } from './queue.kind.js';

export type QueueStats = messages.QueueStats.$Properties;

/** Looks at the lines of the queue, not at its jobs. */
export function statsOf(step: Step, name: string): QueueStats {
  const queue = step.read(queueKind).get(name);
  const counts = { ready: 0, scheduled: 0, running: 0, retrying: 0 };
  let oldestMs = step.nowMs;
  for (const { ready, scheduled, running, retrying, oldest } of step.read(jobKind).lines.ofQueue(name)) {
    counts.ready += ready;
    counts.scheduled += scheduled;
    counts.running += running;
    counts.retrying += retrying;
    oldestMs = Math.min(oldestMs, oldest?.submittedMs ?? oldestMs);
  }
  const status = queue?.status ?? 'open';
  const stats: QueueStats = { queue: name, status, ...counts, oldestWaitingMs: step.nowMs - oldestMs };
  stats.contentMs = step.retention.contentMs(name);
  if (queue?.status === 'paused') stats.paused = { by: queue.by, sinceMs: queue.sinceMs, reason: queue.reason };
  return stats;
}

export const statsReply = (stats: QueueStats, { position }: Releasing): Reply => message({ ...stats, position });

/** Zeros are shown: a count that is missing would be read as unknown. */
export function statsJson({ position, ...counts }: QueueStats): string {
  return JSON.stringify({ ...counts, position: positionJson(position) });
}
