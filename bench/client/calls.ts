/** The calls of a client process, and the interface of its part that differs by contender. */
export interface Load {
  readonly jobs: number;
  /** Jobs per request. */
  readonly bulk: number;
  /** Requests that may be open at a time. */
  readonly outstanding: number;
}

export interface Submitted {
  readonly startedMs: number;
  readonly endedMs: number;
}

export type ClientCalls = {
  submit(load: Load): Promise<Submitted>;
  /** Submits one job after the other and waits for each. @returns milliseconds from submit to result */
  latencies(samples: number): Promise<number[]>;
};

export interface Client {
  /** Submits this many jobs in one request. Resolves when they are accepted. */
  submit(jobs: number): Promise<void>;
  /** Submits one job and resolves when its result is known. */
  perform(): Promise<void>;
  close(): Promise<void>;
}
