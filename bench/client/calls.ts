/** What a client process is asked to do, and what the part of it that differs by contender must offer. */
export interface Load {
  readonly jobs: number;
  /** Jobs per request. */
  readonly bulk: number;
  /** Requests that may be unanswered at a time. */
  readonly outstanding: number;
}

export interface Submitted {
  readonly startedMs: number;
  readonly endedMs: number;
}

export type ClientCalls = {
  submit(load: Load): Promise<Submitted>;
  /** One job after the other, each awaited. @returns milliseconds from submit to result */
  latencies(samples: number): Promise<number[]>;
};

export interface Client {
  /** Submits so many jobs as one request. It resolves when they are accepted. */
  submit(jobs: number): Promise<void>;
  /** Submits one job and resolves when its result is known. */
  perform(): Promise<void>;
  close(): Promise<void>;
}
