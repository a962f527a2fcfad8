/** Due times are of the journal's time, so a difference shows as delays. Pure. */
import { ok, warn, type Finding } from './finding.js';

/** What a leader follows at once; beyond it the journal has another time than the server. */
const JOURNAL_TOLERATED_MS = 10_000;
const TOLERATED_MS = 1_000;

/** @param askedMs when this machine asked the server, and `answeredMs` when it had the answer, by its own clock */
export function clockFinding(serverMs: number, askedMs: number, answeredMs: number): Finding[] {
  if (!Number.isFinite(serverMs)) return [];
  const apartMs = Math.round(serverMs - (askedMs + answeredMs) / 2);
  const found = `the server's is ${Math.abs(apartMs)} ms ${apartMs < 0 ? 'behind' : 'ahead of'} this machine's`;
  if (Math.abs(apartMs) <= TOLERATED_MS + (answeredMs - askedMs)) return [ok('clock', found)];
  return [warn('clock', found, 'Let both synchronise their clocks: delays and time-outs are kept by the time of the journal, which follows the clocks of brokers and server.')];
}

/** The last commit of a partition: the time that it names, and when the server stored it. */
export interface Stamped {
  readonly partition: number;
  readonly nowMs: number;
  readonly storedMs: number;
}

export function journalClockFindings(stamps: readonly Stamped[]): Finding[] {
  return stamps.flatMap(({ partition, nowMs, storedMs }) => {
    const apartMs = nowMs - storedMs;
    if (!(Math.abs(apartMs) > JOURNAL_TOLERATED_MS)) return [];
    const found = `the last commit of partition ${partition} is ${Math.abs(apartMs)} ms ${apartMs < 0 ? 'behind' : 'ahead of'} the server's clock`;
    return [warn('clock', found, 'A clock of a broker or of the server was wrong. Delays run on from the time of the journal; see docs/adr/0014.')];
  });
}
