/** The client's functions for queues: show, list, pause and resume. */
import { list } from '../actors/queue/commands/list.js';
import { pause } from '../actors/queue/commands/pause.js';
import { resume } from '../actors/queue/commands/resume.js';
import { stats } from '../actors/queue/commands/stats.js';
import type { queue as messages } from '../protocols/messages.js';
import { checkText, checkTexts } from './checks.js';
import { drawCommandId, type Client } from './client.js';

export interface QueueStats {
  readonly queue: string;
  readonly status: 'open' | 'paused';
  readonly ready: number;
  readonly scheduled: number;
  readonly running: number;
  readonly retrying: number;
  /** Since the submission of the oldest ready job; 0 without one. */
  readonly oldestWaitingMs: number;
  /** For how long the archive keeps contents of its ended jobs; 0: for ever. */
  readonly contentMs: number;
  /** While it is paused. `by` is the claimed principal. */
  readonly paused: { readonly by: string; readonly sinceMs: number; readonly reason: string } | undefined;
}

export interface Change {
  /** For people; recorded. */
  readonly reason?: string;
  /** Drawn when it is not given, so that repeating the request changes nothing twice. */
  readonly commandId?: string;
}

export async function queueStats(client: Client, queue: string): Promise<QueueStats> {
  checkText('queue', queue);
  return statsOf(await client.request<messages.QueueStats>(stats, { queue }));
}

/** Of every queue that has jobs that have not ended or is paused, by name: all pages, asked for one after another. */
export async function listQueues(client: Client): Promise<QueueStats[]> {
  const listed: QueueStats[] = [];
  let after = '';
  do {
    const { queues, next } = await client.request<messages.QueueList>(list, { after });
    for (const each of queues) listed.push(statsOf(each as messages.QueueStats));
    after = next;
  } while (after !== '');
  return listed;
}

/** The queue takes and leases no jobs until it is resumed. One that is paused stays so, with its first reason. */
export const pauseQueue = (client: Client, queue: string, change: Change = {}): Promise<QueueStats> =>
  changed(client, pause, queue, change);

export const resumeQueue = (client: Client, queue: string, change: Change = {}): Promise<QueueStats> =>
  changed(client, resume, queue, change);

async function changed(
  client: Client, command: typeof pause | typeof resume, queue: string, change: Change,
): Promise<QueueStats> {
  checkText('queue', queue);
  checkTexts('change', change, ['reason', 'commandId']);
  const message = { queue, reason: change.reason ?? '', commandId: change.commandId ?? drawCommandId() };
  return statsOf(await client.request<messages.QueueStats>(command, message));
}

function statsOf(message: messages.QueueStats): QueueStats {
  const { queue, status, ready, scheduled, running, retrying, oldestWaitingMs, contentMs, paused } = message;
  return {
    queue, status: status as QueueStats['status'], ready, scheduled, running, retrying, oldestWaitingMs, contentMs,
    paused: paused ? { by: paused.by ?? '', sinceMs: paused.sinceMs ?? 0, reason: paused.reason ?? '' } : undefined,
  };
}
