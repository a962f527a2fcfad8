/**
 * The interface of a contender, so that the same scenarios measure all of them. A contender is a job system with its
 * server, its worker processes and a client process.
 */
import type { ClientCalls } from './client/calls.js';
import type { Forked } from './processes/forked.js';
import type { Scope } from './processes/scope.js';

export interface Setup {
  /** How many worker processes, and how many jobs each runs at the same time. */
  readonly workers: number;
  readonly concurrency: number;
  /** Everything that the contender starts or creates is added here, to be ended. */
  readonly scope: Scope;
}

export interface Contender {
  readonly name: string;
  /** What must be installed first, as a sentence with a command line; undefined if nothing is missing. */
  missing(): Promise<string | undefined>;
  /** Starts its server with an empty data folder, and everything else between client and workers. */
  start(setup: Setup): Promise<Running>;
}

/** Read from the running system, wherever it reports them. */
export interface Settings {
  readonly version: string;
  readonly durability: string;
  readonly tuning: readonly string[];
  /** How completions are detected. */
  readonly completion: string;
  /** How the client gets the result in the latency scenario. */
  readonly result: string;
}

export interface Running {
  describe(): Promise<Settings>;
  /** Process ids by role; descendants are included in measurements. */
  readonly servers: Readonly<Record<string, number>>;
  startClient(): Promise<Forked<ClientCalls>>;
  /** Starts worker processes that are connected, but take no jobs yet. */
  startWorkers(): Promise<Workers>;
  /** Counts completions from now on. */
  mark(): Promise<void>;
  /** Waits until all jobs seem to be completed, with as little load on the system as possible. */
  settle(jobs: number, deadline: Deadline): Promise<void>;
  /** The completions according to the store; undefined while jobs are still open. */
  completion(jobs: number): Promise<Completion | undefined>;
}

export interface Workers {
  readonly pids: readonly number[];
  /** Makes them take jobs. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** Times are Unix milliseconds, with fractions where available. */
export interface Completion {
  readonly firstMs: number;
  readonly lastMs: number;
  /** How many jobs were completed at `firstMs`. */
  readonly atFirst: number;
}

/** Throws after its time-out; every wait of the benchmark has one. */
export type Deadline = () => void;
