/** What was measured. Numbers are raw; rounding is for the report. */
import type { Settings } from './contender.js';
import type { CpuSeconds } from './processes/cpu.js';

export interface Throughput {
  readonly jobsPerSecond: number;
  /** CPU seconds per thousand jobs, by process. */
  readonly cpu?: CpuSeconds;
}

export interface Latency {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

export interface Run {
  /** Submit and process together, by jobs per request. */
  readonly together: Readonly<Record<number, Throughput>>;
  readonly drain: Throughput;
  readonly latency: Latency;
}

export interface JournalSpeed {
  readonly commitsPerSecond: number;
  readonly eventsPerSecond: number;
}

export interface Measured {
  readonly name: string;
  readonly settings: Settings;
  readonly runs: readonly Run[];
  readonly median: Run;
}

/** Asked for, but not measured. */
export interface Absent {
  readonly name: string;
  readonly why: string;
  /** Something is not installed, and that is no failure. */
  readonly missing: boolean;
}

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
}

export interface Report {
  readonly machine: Machine;
  readonly conditions: Conditions;
  readonly measured: readonly Measured[];
  readonly absent: readonly Absent[];
  readonly journal?: JournalSpeed & { readonly eventsPerCommit: number };
}

export interface Conditions {
  readonly jobs: number;
  readonly runs: number;
  readonly workers: number;
  readonly concurrency: number;
  readonly samples: number;
  readonly bulk: readonly number[];
  readonly outstanding: number;
  readonly payloadBytes: number;
}
