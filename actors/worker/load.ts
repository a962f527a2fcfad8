/** How a worker's process is doing, as it says itself with pulls and heartbeats. Volatile, and never recorded. */
import { z } from 'zod';
import { whole, within } from '../../protocols/bounds.js';
import { LIMITS } from '../../protocols/limits.js';
import type { worker } from '../../protocols/messages.js';
import { count } from '../shapes.js';

export interface Load {
  /** Fraction that is taken. */
  readonly slots: number;
  /** 99th percentile of the latest seconds. */
  readonly eventLoopMs: number;
  readonly memoryBytes: number;
  readonly attempts: number;
}

export const loadShape = z.strictObject({
  slots: z.number().optional(), eventLoopMs: z.number().optional(), memoryBytes: count.optional(),
  attempts: count.optional(),
}).optional();

const MOST_MS = 86_400_000;

/** @throws Invalid */
export function checkLoad(load: worker.Load.$Properties | null | undefined): Load | undefined {
  if (!load) return undefined;
  return {
    slots: within('load.slots', load.slots ?? 0, 0, 1),
    eventLoopMs: within('load.eventLoopMs', load.eventLoopMs ?? 0, 0, MOST_MS),
    memoryBytes: whole('load.memoryBytes', load.memoryBytes ?? 0, 0, Number.MAX_SAFE_INTEGER),
    attempts: whole('load.attempts', load.attempts ?? 0, 0, LIMITS.free),
  };
}
