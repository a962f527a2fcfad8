/** What the specifications of a journal need: candidates for leadership, leaders, and the next commit. */
import type { Test } from 'tap';
import { Chain, type Head, headOf } from '../chain.js';
import { encodeCommit, encodeEvents, headerAfter } from '../commit.js';
import { journal } from '../../protocols/messages.js';
import type { Journal, Stored } from '../journal.js';
import type { Rig } from './rigs.js';
import { takeOver, type KnownHead, type TakenOver, type TakeOverOptions } from '../takeover.js';

export type Leading = Extract<TakenOver, { kind: 'leading' }>;
export type Spec = (t: Test, rig: Rig) => Promise<void>;

let drawn = 0;
export const text = (value: string): Uint8Array => new TextEncoder().encode(value);

/** The options of a take-over, with what it folded and skipped. */
type Candidate = TakeOverOptions & { commits: journal.Commit[]; foreign: number[]; heads: Head[] };

export function candidate(more: Partial<TakeOverOptions> = {}): Candidate {
  const commits: journal.Commit[] = [];
  const foreign: number[] = [];
  const heads: Head[] = [];
  return {
    commits, foreign, heads,
    known: [],
    leaderId: () => `leader${++drawn}`,
    journalId: () => 'journal1',
    broker: 'broker',
    nowMs: () => 1_000,
    onCommit: (commit, _seq, _bytes, head) => void (commits.push(commit), heads.push(head)),
    onForeign: (seq) => void foreign.push(seq),
    ...more,
  };
}

export const known = (...heads: readonly Head[]): KnownHead[] => heads.map((head) => ({ ...head, from: 'the test' }));

export async function lead(t: Test, from: Journal, options: TakeOverOptions = candidate()): Promise<Leading> {
  const taken = await takeOver(from, options);
  if (taken.kind !== 'leading') throw new Error(`deposed: ${taken.why}`);
  t.teardown(() => taken.journal.close());
  return taken;
}

/** A commit that follows `head`, with one event. */
export function next(head: Head, id = 'a'): { bytes: Uint8Array; at: (seq: number) => Head } {
  const header = headerAfter(head, { leaderId: 'leader', epoch: head.epoch }, 1_000);
  const event = journal.Event.encode({ kind: 'test', id, type: 'Happened', version: 1, body: text(id) }).finish();
  const bytes = encodeCommit(header, encodeEvents([event]));
  return { bytes, at: (seq) => headOf(header, head.partition, seq, bytes) };
}

export async function appendNext(leading: { head: Head; journal: Journal }, id: string): Promise<Head> {
  const commit = next(leading.head, id);
  const appended = await leading.journal.append(commit.bytes, leading.head.seq);
  if (appended.kind !== 'committed') throw new Error(`${appended.kind}: ${appended.message}`);
  return commit.at(appended.seq);
}

export async function collect(messages: AsyncIterable<Stored>): Promise<Stored[]> {
  const all: Stored[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

export async function checkOneChain(t: Test, rig: Rig): Promise<journal.Commit[]> {
  const reader = await rig.open();
  const chain = new Chain(rig.partition);
  const commits: journal.Commit[] = [];
  for await (const stored of reader.replay(1)) {
    const accepted = chain.accept(stored);
    if (accepted.kind === 'commit') commits.push(accepted.commit);
  }
  await reader.close();
  const epochs = commits.map((commit) => commit.epoch);
  t.same(epochs, epochs.toSorted((a, b) => a - b), 'epochs never fall');
  return commits;
}
