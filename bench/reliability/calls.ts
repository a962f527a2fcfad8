/** The calls of the processes that the figures of reliability are measured with. */
import type { BrokerOptions } from '../../gateways/nats/broker.js';

export interface BrokerArgument extends Pick<BrokerOptions, 'policies' | 'archivePolicy'> {
  readonly url: string;
  readonly indexDir: string;
  readonly archive?: string;
}

export interface Memory {
  readonly residentMb: number;
  /** After a forced collection. */
  readonly collectedMb: number;
  readonly peakMb: number;
}

/** A line of the broker's log. */
export interface Logged {
  readonly msg: string;
  readonly level: number;
  readonly tookMs?: number;
  readonly frozeMs?: number;
  readonly bytes?: number;
  readonly seq?: number;
  readonly snapshotSeq?: number;
  readonly why?: string;
}

export type BrokerCalls = {
  memory(argument: undefined): Promise<Memory>;
  /** All lines since the last call. */
  logged(argument: undefined): Promise<Logged[]>;
  /** Seconds of the broker's own process, without its archiver. */
  cpuSeconds(argument: undefined): Promise<number>;
};

/** Requests of `bulk` jobs, `outstanding` at a time. */
export interface Feed {
  readonly bulk: number;
  readonly outstanding: number;
  readonly payloadBytes: number;
  /** The worker of the measurement performs this type only. */
  readonly type: string;
  /** Each request waits until its jobs have ended, so the queue stays short. */
  readonly waits: boolean;
  /** It ends after so many jobs, or after so long. */
  readonly jobs?: number;
  readonly forMs?: number;
}

export interface Fed {
  readonly jobs: number;
  readonly tookMs: number;
  readonly lastJobId: string;
}

export interface Waited {
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly longestMs: number;
}

export type FeederCalls = {
  feed(feed: Feed): Promise<Fed>;
  /** Submits one job every few milliseconds, whether or not the one before was answered, until `waited` is called. */
  probe(everyMs: number): Promise<void>;
  waited(argument: undefined): Promise<Waited>;
};

export type WorkerCalls = {
  handled(argument: undefined): Promise<number>;
};

/** Jobs of this type are performed; others wait for ever. */
export const PERFORMED = 'noop';
export const WAITING = 'waiting';
