/** Due times are of the leader's clock, so a difference shows as delays. Pure. */
import { ok, warn, type Finding } from './finding.js';

const TOLERATED_MS = 1_000;

/** @param askedMs when this machine asked the server, and `answeredMs` when it had the answer, by its own clock */
export function clockFinding(serverMs: number, askedMs: number, answeredMs: number): Finding[] {
  if (!Number.isFinite(serverMs)) return [];
  const apartMs = Math.round(serverMs - (askedMs + answeredMs) / 2);
  const found = `the server's is ${Math.abs(apartMs)} ms ${apartMs < 0 ? 'behind' : 'ahead of'} this machine's`;
  if (Math.abs(apartMs) <= TOLERATED_MS + (answeredMs - askedMs)) return [ok('clock', found)];
  return [warn('clock', found, 'Let both synchronise their clocks: delays and time-outs are kept by the clock of the broker.')];
}
