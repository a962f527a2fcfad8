/**
 * What every contender offers, so that one set of scenarios measures them all. A contender is a job system with its
 * server, its worker processes and a client process; the scenarios know nothing else of it.
 */
import type { ClientCalls } from './client/calls.js';
import type { Forked } from './processes/forked.js';
import type { Scope } from './processes/scope.js';

export interface Setup {
  /** Worker processes, and jobs at a time in each. */
  readonly workers: number;
  readonly concurrency: number;
  /** Where everything that the contender starts or makes is registered to be ended. */
  readonly scope: Scope;
}

export interface Contender {
  readonly name: string;
  /** What must be installed before it can be measured, as a sentence with a command line; undefined when all is there. */
  missing(): Promise<string | undefined>;
  /** Starts its server with an empty data folder, and whatever else stands between client and workers. */
  start(setup: Setup): Promise<Running>;
}

/** As the running system itself says it, wherever it can be asked. */
export interface Settings {
  readonly version: string;
  readonly durability: string;
  readonly tuning: readonly string[];
  /** How it is known when a job was completed. */
  readonly completion: string;
  /** How the client learns of the result in the latency scenario. */
  readonly result: string;
}

export interface Running {
  describe(): Promise<Settings>;
  /** Process ids by role; descendants count with them. */
  readonly servers: Readonly<Record<string, number>>;
  startClient(): Promise<Forked<ClientCalls>>;
  /** Worker processes that are up and connected, but take no job yet. */
  startWorkers(): Promise<Workers>;
  /** Completions are counted from here on. */
  mark(): Promise<void>;
  /** Waits, with as little disturbance as possible, until it looks as if all jobs were completed. */
  settle(jobs: number, deadline: Deadline): Promise<void>;
  /** What the store says for certain; undefined when jobs are still open. */
  completion(jobs: number): Promise<Completion | undefined>;
}

export interface Workers {
  readonly pids: readonly number[];
  /** Lets them take jobs. */
  resume(): Promise<void>;
  stop(): Promise<void>;
}

/** Unix milliseconds, with fractions where there are any. */
export interface Completion {
  readonly firstMs: number;
  readonly lastMs: number;
  /** Jobs that were completed by the very first one of these moments. */
  readonly atFirst: number;
}

/** Throws when its time is over; every wait of the benchmark has one. */
export type Deadline = () => void;
