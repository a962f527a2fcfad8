/** Compares clocks. Due times are in the journal's time, so a difference delays jobs. Pure. */
import { ok, warn, type Finding } from './finding.js';

/** A leader follows the server's clock within this difference; a larger one means that the journal's time is off. */
const JOURNAL_TOLERATED_MS = 10_000;
const TOLERATED_MS = 1_000;

/**
 * @param askedMs when the request was sent, by this machine's clock
 * @param answeredMs when the reply came, by this machine's clock
 */
export function clockFinding(serverMs: number, askedMs: number, answeredMs: number): Finding[] {
  if (!Number.isFinite(serverMs)) return [];
  const apartMs = Math.round(serverMs - (askedMs + answeredMs) / 2);
  const found = `the server's is ${apart(apartMs)} this machine's`;
  if (Math.abs(apartMs) <= TOLERATED_MS + (answeredMs - askedMs)) return [ok('clock', found)];
  const hint = 'Synchronise both: delays and time-outs follow the journal, and that follows brokers and server.';
  return [warn('clock', found, hint)];
}

const apart = (ms: number): string => `${Math.abs(ms)} ms ${ms < 0 ? 'behind' : 'ahead of'}`;

/** The last commit of a partition: its own time, and when the server stored it. */
export interface Stamped {
  readonly partition: number;
  readonly nowMs: number;
  readonly storedMs: number;
}

export function journalClockFindings(stamps: readonly Stamped[]): Finding[] {
  return stamps.flatMap(({ partition, nowMs, storedMs }) => {
    const apartMs = nowMs - storedMs;
    if (!(Math.abs(apartMs) > JOURNAL_TOLERATED_MS)) return [];
    const found = `the last commit of partition ${partition} is ${apart(apartMs)} the server's clock`;
    const hint = 'A clock of a broker or of the server was wrong. Delays follow the journal; see docs/adr/0014.';
    return [warn('clock', found, hint)];
  });
}
