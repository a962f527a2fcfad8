/** Counters of a kind that only readers of this version know: each of its events is behind a VersionBarrier. */
import type { CastMember } from '../../actors/cast.js';
import type { EventTable, Kind } from '../../actors/kind.js';
import { KINDS } from '../../actors/kinds.js';
import type { Cause, Step } from '../../actors/step.js';
import type { Partition } from '../../protocols/ids.js';
import { READER } from '../../streams/chain.js';
import { counterKind, type CounterRole } from './counter.js';

const since = (events: EventTable, reader: number): EventTable =>
  Object.fromEntries(Object.entries(events).map(([type, of]) => [type, { ...of, since: reader }]));

export const counterSince = (reader: number): Kind<CounterRole> =>
  ({ ...counterKind, name: 'newer', events: since(counterKind.events, reader) });

export const newerKind = counterSince(READER);

export const KINDS_WITH_NEWER: readonly CastMember[] = [...KINDS, { kind: counterKind }, { kind: newerKind }];

const CAUSE: Cause = { commandId: '', type: 'StartCounter', by: 'test' };
const YEAR_MS = 365 * 24 * 3_600_000;

/** Starts a counter that never rings, unless it is there. The caller has made room. */
export function startSilent(step: Step, kind: Kind<CounterRole>, id: string): void {
  if (step.read(kind).get(id)) return;
  const body = { status: 'counting', to: 0 as Partition, everyMs: YEAR_MS, times: 1, slice: 1 } as const;
  step.emit(kind, id, { type: 'CounterStarted', body }, CAUSE);
}
