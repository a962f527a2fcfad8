/** The client's functions for queues and groups (`images/`): show, list, pause, resume and set. */
import { list } from '../actors/queue/commands/list.js';
import { pause } from '../actors/queue/commands/pause.js';
import { resume } from '../actors/queue/commands/resume.js';
import { set } from '../actors/queue/commands/set.js';
import type { GivenSettings, QueueSettings, SettingName } from '../actors/queue/settings.js';
import { settingsOf } from '../actors/queue/stats.js';
import { stats } from '../actors/queue/commands/stats.js';
import type { queue as messages } from '../protocols/messages.js';
import { checkList, checkSettings, checkText, checkTexts } from './checks.js';
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
  readonly paused: Paused | undefined;
  /** Its own, without those of its group. */
  readonly settings: QueueSettings | undefined;
  /** Of their latest change: the claimed principal, and when. */
  readonly settingsBy: string;
  readonly settingsSinceMs: number;
}

export interface Paused {
  readonly by: string;
  readonly sinceMs: number;
  readonly reason: string;
  /** The group that is paused, with the queue in it. Empty: the queue itself is, or this is the group. */
  readonly group: string;
}

export type { GivenSettings, QueueSettings, SettingName } from '../actors/queue/settings.js';

export interface Change {
  /** For people; recorded. */
  readonly reason?: string;
  /** Drawn when it is not given, so that repeating the request changes nothing twice. */
  readonly commandId?: string;
}

export interface SettingsToChange extends Change {
  /** What is to change. One with fields of its own is replaced as a whole. */
  readonly settings?: GivenSettings;
  readonly unset?: readonly SettingName[];
}

export async function queueStats(client: Client, queue: string): Promise<QueueStats> {
  checkText('queue', queue);
  return statsOf(await client.request<messages.QueueStats>(stats, { queue }));
}

/**
 * Of every queue that has jobs that have not ended, and every queue or group that is paused or has settings, by name:
 * all pages, asked for one after another.
 */
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

/** Sets or unsets settings. The others stay as they are. */
export async function setQueue(client: Client, queue: string, change: SettingsToChange): Promise<QueueStats> {
  checkText('queue', queue);
  const { settings = {}, unset = [], ...rest } = change;
  checkSettings(settings);
  checkList('unset', unset);
  checkTexts('change', rest, ['reason', 'commandId']);
  const message = {
    queue, settings, unset: [...unset], reason: rest.reason ?? '', commandId: rest.commandId ?? drawCommandId(),
  };
  return statsOf(await client.request<messages.QueueStats>(set, message));
}

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
    paused: paused ? pausedOf(paused) : undefined,
    settings: settingsOf(message), settingsBy: message.settingsBy, settingsSinceMs: message.settingsSinceMs,
  };
}

const pausedOf = ({ by, sinceMs, reason, group }: messages.Paused.$Properties): Paused =>
  ({ by: by ?? '', sinceMs: sinceMs ?? 0, reason: reason ?? '', group: group ?? '' });
