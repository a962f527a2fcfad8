/** How many jobs of a queue are in which status, counted by the index of the jobs. */
import type { ReadonlyLine as Line } from '../job/lines.js';
import { jobKind } from '../job/job.kind.js';
import { positionJson } from '../job/reply-json.js';
import { message, type Releasing, type Reply } from '../reply.js';
import type { Step } from '../step.js';
import type { queue as messages } from '../../protocols/messages.js';
import { queueKind } from './queue.kind.js';

export type QueueStats = messages.QueueStats.$Properties;

export function statsOf(step: Step, name: string): QueueStats {
  const lines = [...step.read(jobKind).lines.all].filter(({ queue }) => queue === name);
  const count = (of: (line: Line) => number): number => lines.reduce((sum, line) => sum + of(line), 0);
  const queue = step.read(queueKind).get(name);
  const stats: QueueStats = {
    queue: name, status: queue?.status ?? 'open',
    ready: count(({ jobs }) => jobs.size), running: count(({ running }) => running),
    scheduled: count(({ scheduled }) => scheduled), retrying: count(({ retrying }) => retrying),
    oldestWaitingMs: oldestWaitingMs(lines, step.nowMs),
  };
  if (queue?.status === 'paused') stats.paused = { by: queue.by, sinceMs: queue.sinceMs, reason: queue.reason };
  return stats;
}

/** Names of all queues that are known here: those with a line of jobs, and those that were ever paused. */
export function queueNames(step: Step): string[] {
  const names = new Set<string>();
  for (const { queue } of step.read(jobKind).lines.all) names.add(queue);
  for (const { id } of step.read(queueKind).all()) names.add(id);
  return [...names].sort();
}

/** Looks at every ready job: its line is in the order of priority, not of age. */
function oldestWaitingMs(lines: readonly Line[], nowMs: number): number {
  let oldestMs = nowMs;
  for (const { jobs } of lines) for (const { submittedMs } of jobs) oldestMs = Math.min(oldestMs, submittedMs);
  return nowMs - oldestMs;
}

export const statsReply = (stats: QueueStats, { position }: Releasing): Reply => message({ ...stats, position });

export const listReply = (queues: readonly QueueStats[], { position }: Releasing): Reply =>
  message({ queues: queues.map((stats) => ({ ...stats, position })) });

/** Zeros are shown: a count that is missing would be read as unknown. */
export function statsJson({ position, ...counts }: QueueStats): string {
  return JSON.stringify({ ...counts, position: positionJson(position) });
}
