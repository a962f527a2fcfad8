/** What the harness and graphile-worker's processes agree on. */
import { Logger } from 'graphile-worker';

export const TASK = 'noop';
export const FINISHED = 'bench_finished';

/** Its documentation's own settings for the highest throughput; a local queue of 500 is the size it measured with. */
export const PERFORMANCE = { localQueue: { size: 500 }, completeJobBatchDelay: 0, failJobBatchDelay: 0 } as const;

/** Its default. With a local queue and batches few connections are needed, and the server takes 100 in all. */
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
  /** Unix milliseconds of the first one since the process started; 0 when there is none. */
  readonly firstMs: number;
}

export type GraphileWorkerCalls = {
  resume(nothing: undefined): Promise<void>;
  performed(nothing: undefined): Promise<Performed>;
};
