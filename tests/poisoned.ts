/** Journals with events that cannot be folded, as a broker with a mistake would have written them. */
import { stateHash, type Part } from '../actors/rows/parts.js';
import type { PartitionCore } from '../partition/core/core.js';
import { freeze, thaw } from '../partition/core/state.js';
import type { JobId } from '../protocols/ids.js';
import { job as messages, type journal } from '../protocols/messages.js';
import { decodeCommit } from '../streams/contents.js';
import { first, newCore, Play } from './play.js';

export type Event = journal.Event;
export type Change = (event: Event) => readonly Event[];

/** The journal as a broker with a mistake would have written it. @param change of the nth event of actors */
export function journalOf(play: Play, change: (event: Event, nth: number) => readonly Event[]): journal.Commit[] {
  let nth = 0;
  return play.commits.map((bytes) => {
    const commit = decodeCommit(bytes);
    commit.events = (commit.events as Event[]).flatMap((event) => change(event, nth++));
    return commit;
  });
}

export function folded(commits: readonly journal.Commit[], core = newCore(), from = 0): PartitionCore {
  commits.slice(from).forEach((commit, nth) => core.replay(commit, from + nth + 1));
  return core;
}

export const hashOf = ({ state }: PartitionCore): string => stateHash(freeze(state)).toString('hex');
export const read = (parts: readonly Part[]): ReadonlyMap<string, Buffer> =>
  new Map(parts.map((part) => [part.name, Buffer.from(part.bytes())]));
export function thawed(core: PartitionCore): PartitionCore {
  const fresh = newCore();
  thaw(fresh.state, read(freeze(core.state)));
  return fresh;
}

export const EMPTY: Change = (event) => [{ ...event, body: Buffer.alloc(0) } as Event];
export const GARBAGE: Change = (event) => [{ ...event, body: Buffer.from([0x0a, 0x7f, 0x01]) } as Event];
export const DROPPED: Change = () => [];
export const TWICE: Change = (event) => [event, event];
/** It may follow, and lacks the failure that is applied. */
export const HALF: Change = (event) =>
  [{ ...event, body: messages.JobFailed.encode({ status: 'failed' }).finish() } as Event];

export interface Poisoned {
  readonly play: Play;
  readonly id: JobId;
  readonly other: JobId;
  readonly commits: journal.Commit[];
}

/** A job is leased and fails, beside another that is leased, with events of one type changed. */
export function poisoned(type: string, change: Change): Poisoned {
  const play = new Play();
  play.register('w1');
  const [id, other] = [play.submit({ key: 'a', commandId: 'c' }), play.submit()];
  play.pull('w1', 1, 2);
  const failure = { code: 'PERFORMER_ERROR', message: 'no' };
  play.pull('w1', 2, 0, [first('w1', other)], [{ token: first('w1', id), outcome: { kind: 'fail', failure } }]);
  const commits = journalOf(play, (event) => (event.id === id && event.type === type ? change(event) : [event]));
  return { play, id, other, commits };
}

interface Expected {
  readonly status: string;
  readonly reason: string;
  readonly skipped: number;
}

export const CASES: readonly (readonly [what: string, type: string, change: Change, expected: Expected])[] = [
  ['an event that may not follow', 'JobLeased', TWICE, { status: 'running', reason: 'chart', skipped: 1 }],
  ['a submission that is missing', 'JobSubmitted', DROPPED, { status: 'absent', reason: 'chart', skipped: 1 }],
  ['a lease that is missing', 'JobLeased', DROPPED, { status: 'ready', reason: 'chart', skipped: 0 }],
  ['a body that is empty', 'JobLeased', EMPTY, { status: 'ready', reason: 'chart', skipped: 1 }],
  ['a body that cannot be decoded', 'JobLeased', GARBAGE, { status: 'ready', reason: 'body', skipped: 1 }],
  ['a first body that cannot be decoded', 'JobSubmitted', GARBAGE, { status: 'absent', reason: 'body', skipped: 2 }],
  ['a body that cannot be applied', 'JobFailed', HALF, { status: 'running', reason: 'apply', skipped: 0 }],
];

/** The same partition, led on. */
export function led({ commits, play: { nowMs } }: Poisoned): Play {
  const play = new Play();
  Object.assign(play, { core: folded(commits), nowMs });
  play.commits.push(...commits.map(() => new Uint8Array()));
  play.lead();
  return play;
}
