/** What a figure is: a function that measures, and returns what is printed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { BrokerOptions } from '../../gateways/nats/broker.js';
import type { Forked } from '../processes/forked.js';
import type { Scope } from '../processes/scope.js';
import type { Feed, FeederCalls, WorkerCalls } from './calls.js';
import { PERFORMED, WAITING } from './calls.js';

export interface FigureOptions {
  /** undefined: the default of the figure. */
  readonly jobs: number | undefined;
  readonly ended: number;
  readonly runs: number;
  readonly minutes: number;
  readonly bulk: readonly number[];
  /** Ends the part of the figure that it is given to. */
  inScope<T>(within: (scope: Scope) => Promise<T>): Promise<T>;
  log(line: string): void;
}

export interface FigureResult {
  /** One a line, for people. */
  readonly lines: readonly string[];
  /** For machines: plain data. */
  readonly data: object;
  /** false: the process ends with 1. */
  readonly ok: boolean;
}

export type Figure = (options: FigureOptions) => Promise<FigureResult>;

/** Timers of Node take no longer one. */
const NEVER_MS = 2 ** 31 - 1;
const NEVER = Number.MAX_SAFE_INTEGER;

export const noSnapshots: BrokerOptions['policies'] = {
  snapshotPolicy: { leastBytes: NEVER, times: 0, idleMs: NEVER, idleBytes: NEVER },
  truncationPolicy: { margin: 0, least: NEVER, mostLag: NEVER, everyMs: NEVER_MS },
};

/** Waiting jobs of 200 bytes, in large requests. */
export const waitingJobs = (jobs: number): Feed =>
  ({ jobs, bulk: 500, outstanding: 4, payloadBytes: 200, type: WAITING, waits: false });

/** Small jobs that are performed; each request waits for its jobs. */
export const performedJobs = (limit: Pick<Feed, 'jobs' | 'forMs'>): Feed =>
  ({ bulk: 100, outstanding: 8, payloadBytes: 0, type: PERFORMED, waits: true, ...limit });

const STEP = 100_000;

/** In steps, so that progress shows. @returns the id of a job, and how long it took */
export async function feedAll(
  feeder: Forked<FeederCalls>, feed: Feed & { readonly jobs: number }, log: (line: string) => void,
): Promise<{ readonly lastJobId: string; readonly tookMs: number }> {
  let [tookMs, lastJobId] = [0, ''];
  for (let done = 0; done < feed.jobs; done += STEP) {
    const jobs = Math.min(STEP, feed.jobs - done);
    const fed = await feeder.call('feed', { ...feed, jobs });
    tookMs += fed.tookMs;
    lastJobId = fed.lastJobId;
    log(`${done + jobs} of ${feed.jobs} jobs, ${Math.round(jobs / (fed.tookMs / 1_000))} a second`);
  }
  return { lastJobId, tookMs };
}

export async function untilHandled(worker: Forked<WorkerCalls>, jobs: number): Promise<void> {
  while ((await worker.call('handled', undefined)) < jobs) await sleep(10);
}

export const mb = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;
export const ms = (milliseconds: number): string => `${milliseconds.toFixed(milliseconds < 100 ? 1 : 0)} ms`;
