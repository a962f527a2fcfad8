/** Describes the machine that the results are from. */
import { cpus, totalmem, type } from 'node:os';
import type { Machine } from '../results.js';

export function describeMachine(): Machine {
  const all = cpus();
  return {
    cores: all.length,
    cpu: all[0]?.model.trim() ?? 'unknown',
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: type(),
    node: process.version,
  };
}
