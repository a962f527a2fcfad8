/** The results of the benchmark. Numbers are raw; they are rounded when they are printed. */
import type { Settings } from './contender.js';
import type { BenchOptions } from './options.js';
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

/** A contender that was requested but not measured. */
export interface Absent {
  readonly name: string;
  readonly why: string;
  /** Whether it is merely not installed. */
  readonly missing: boolean;
}

export interface Machine {
  readonly cores: number;
  readonly cpu: string;
  readonly memoryGb: number;
  readonly system: string;
  readonly node: string;
}

export interface BenchResults {
  readonly machine: Machine;
  readonly conditions: Conditions;
  readonly measured: readonly Measured[];
  readonly absent: readonly Absent[];
  readonly journal?: JournalSpeed & { readonly eventsPerCommit: number };
}

type Given = 'jobs' | 'runs' | 'workers' | 'concurrency' | 'samples' | 'bulk';

export interface Conditions extends Pick<BenchOptions, Given> {
  readonly outstanding: number;
  readonly payloadBytes: number;
}
