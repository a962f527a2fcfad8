/** The client's functions for workers: list, show, cordon, uncordon and drain. */
import { cordon } from '../actors/worker/commands/cordon.js';
import { get } from '../actors/worker/commands/get.js';
import { list } from '../actors/worker/commands/list.js';
import { retire } from '../actors/worker/commands/retire.js';
import { uncordon } from '../actors/worker/commands/uncordon.js';
import type { Load } from '../actors/worker/load.js';
import type { WorkerStatus } from '../actors/worker/view.js';
import type { worker as messages } from '../protocols/messages.js';
import { checkText, checkTexts } from './checks.js';
import { drawCommandId, type Client } from './client.js';

export type { Load } from '../actors/worker/load.js';
export type { WorkerStatus } from '../actors/worker/view.js';

export interface WorkerView {
  readonly workerId: string;
  /**
   * `starting`: it has not asked for jobs yet. `busy`: no slot is free. `draining`: it finishes what it holds, and
   * leaves. `cordoned`: it gets no new leases. `suspect`: silent for longer than expected.
   * `gone`: it left within the last ten minutes, or is cordoned and not registered.
   */
  readonly status: WorkerStatus;
  readonly types: readonly string[];
  /** Empty: all. */
  readonly queues: readonly string[];
  readonly weights: Readonly<Record<string, number>>;
  /** What it has, for jobs that require something; undefined: it says nothing of itself. */
  readonly capabilities: Readonly<Record<string, unknown>> | undefined;
  /** Its slots. */
  readonly capacity: number;
  readonly software: string;
  readonly session: string;
  /** Unix milliseconds; 0: it is not registered. */
  readonly registeredMs: number;
  /** How many attempts it holds, as the leaders count them. */
  readonly running: number;
  /** Since its latest request; of one that is gone since it left. */
  readonly silentMs: number;
  /** As it last said itself; undefined: not yet. */
  readonly load: Load | undefined;
  readonly cordoned: Ordered | undefined;
  /** An operator drains it. */
  readonly drained: Ordered | undefined;
  /** Why it is gone: `drained` or `silent`; empty: it is not, or that is not known any more. */
  readonly gone: string;
  /** What it runs, 1,000 attempts at most. Of {@link getWorker} only; empty in a list. */
  readonly attempts: readonly RunningAttempt[];
}

/** By whom, as claimed; when; and why. */
export interface Ordered {
  readonly by: string;
  readonly sinceMs: number;
  readonly reason: string;
}

export interface RunningAttempt {
  readonly jobId: string;
  readonly type: string;
  readonly queue: string;
  readonly attempt: number;
}

export interface Order {
  /** For people; recorded. */
  readonly reason?: string;
  /** Drawn when it is not given, so that repeating the request changes nothing twice. */
  readonly commandId?: string;
}

/** Registered and cordoned workers and those that left lately, by id: all pages, asked for one after another. */
export async function listWorkers(client: Client): Promise<WorkerView[]> {
  const listed: WorkerView[] = [];
  let after = '';
  do {
    const { workers, next } = await client.request<messages.WorkerList>(list, { after });
    for (const each of workers) listed.push(viewOf(each as messages.WorkerView));
    after = next;
  } while (after !== '');
  return listed;
}

/** With its attempts. @throws RepriseError NOT_FOUND */
export async function getWorker(client: Client, workerId: string): Promise<WorkerView> {
  checkText('workerId', workerId);
  return viewOf(await client.request<messages.WorkerView>(get, { workerId }));
}

/** It gets no new leases, also after it registers again, and keeps what it runs. It need not be registered yet. */
export const cordonWorker = (client: Client, workerId: string, order: Order = {}): Promise<WorkerView> =>
  ordered(client, cordon, workerId, order);

/** @throws RepriseError NOT_FOUND if no such worker is known */
export const uncordonWorker = (client: Client, workerId: string, order: Order = {}): Promise<WorkerView> =>
  ordered(client, uncordon, workerId, order);

/** Its next reply tells it to finish what it holds and to exit. @throws RepriseError NOT_FOUND */
export const drainWorker = (client: Client, workerId: string, order: Order = {}): Promise<WorkerView> =>
  ordered(client, retire, workerId, order);

async function ordered(
  client: Client, command: typeof cordon | typeof uncordon | typeof retire, workerId: string, order: Order,
): Promise<WorkerView> {
  checkText('workerId', workerId);
  checkTexts('order', order, ['reason', 'commandId']);
  const message = { workerId, reason: order.reason ?? '', commandId: order.commandId ?? drawCommandId() };
  return viewOf(await client.request<messages.WorkerView>(command, message));
}

function viewOf(message: messages.WorkerView): WorkerView {
  const { workerId, status, types, queues, weights, capabilitiesJson, capacity, software, session } = message;
  const { registeredMs, running, silentMs, load, cordoned, drained, gone, attempts } = message;
  return {
    workerId, status: status as WorkerStatus, types: [...types], queues: [...queues], weights: { ...weights },
    capabilities: capabilitiesJson === '' ? undefined : (JSON.parse(capabilitiesJson) as Record<string, unknown>),
    capacity, software, session, registeredMs, running, silentMs, gone,
    load: load ? loadOf(load) : undefined,
    cordoned: cordoned ? orderedOf(cordoned) : undefined, drained: drained ? orderedOf(drained) : undefined,
    attempts: attempts.map(({ jobId, type, queue, attempt }) =>
      ({ jobId: jobId ?? '', type: type ?? '', queue: queue ?? '', attempt: attempt ?? 0 })),
  };
}

const orderedOf = ({ by, sinceMs, reason }: messages.Change.$Properties): Ordered =>
  ({ by: by ?? '', sinceMs: sinceMs ?? 0, reason: reason ?? '' });

const loadOf = ({ slots, eventLoopMs, memoryBytes, attempts }: messages.Load.$Properties): Load =>
  ({ slots: slots ?? 0, eventLoopMs: eventLoopMs ?? 0, memoryBytes: memoryBytes ?? 0, attempts: attempts ?? 0 });
