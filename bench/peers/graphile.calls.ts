/** Shared by the harness and graphile-worker's processes. */
import { Logger } from 'graphile-worker';
import type { WorkerCalls } from './workers.js';

export const TASK = 'noop';
export const FINISHED = 'bench_finished';

/** From graphile-worker's documentation, for the highest throughput; its own benchmark has a local queue of 500. */
export const PERFORMANCE = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } as const;

/** The default. With a local queue and batches few connections are needed, and the server allows 100 in total. */
export const POOL = 10;

export const silent = new Logger(() => () => undefined);

export interface GraphileAddress {
  readonly url: string;
}

export interface GraphileWorkerOptions extends GraphileAddress {
  readonly concurrency: number;
}

export interface Performed {
  readonly jobs: number;
  /** Unix milliseconds of the first job since the process started; 0 if there is none. */
  readonly firstMs: number;
}

export type GraphileWorkerCalls = WorkerCalls & {
  performed(nothing: undefined): Promise<Performed>;
};
