/** A journal of jobs that were submitted and cancelled, as a leader writes it: a chain that a broker can take over. */
import { jobId as idFrom, type JobId, type Partition } from '../protocols/ids.js';
import { hashOf, headOf, type Head } from '../streams/chain.js';
import { committedOf, type Committed } from '../streams/committed.js';
import { headerAfter } from '../streams/commit.js';
import { decodeCommit } from '../streams/contents.js';
import type { Stored } from '../streams/journal.js';
import { decide, job, newCore, type Asked } from './play.js';

const P0 = 0 as Partition;
const AT_ONCE = 200;

export interface EndedJobs {
  readonly ids: readonly JobId[];
  /** The commit at sequence index + 1. */
  readonly commits: readonly Uint8Array[];
}

/** @param name of the journal @param nowMs of all its commits; jobs that ended long ago are not in a leader's state */
export function endedJobs(count: number, name = 'j', nowMs = 1_700_000_000_000): EndedJobs {
  const core = newCore();
  const commits: Uint8Array[] = [];
  let head: Head = { journalId: name, partition: P0, seq: 0, hash: new Uint8Array(), epoch: 1, nowMs, minReader: 0 };
  const write = (): void => {
    for (let batch = core.take(); batch; batch = core.take()) {
      if (batch.events.length === 0) continue;
      const header = headerAfter(head, { leaderId: 'l', epoch: 1 }, nowMs);
      const bytes = batch.body.commit(header);
      head = headOf(header, P0, batch.seq, bytes);
      commits.push(bytes);
    }
  };
  const ask = (request: Asked<'submit'> | Asked<'cancel'>): void =>
    core.step({ nowMs, monoMs: 1, draw: 0.5 }, (step) => decide(step, request, { replyTo: 'replyTo' }));
  const ids = Array.from({ length: count }, (_, n) => idFrom(P0, hashOf(Buffer.from(`${name}/${n}`))));
  for (let n = 0; n < count; n += AT_ONCE) {
    const some = ids.slice(n, n + AT_ONCE);
    ask({ kind: 'submit', waitMs: undefined, jobs: some.map((id) => ({ id, job: job() })) });
    write();
    for (const jobId of some) ask({ kind: 'cancel', target: { jobId }, reason: '', commandId: '' });
    write();
  }
  return { ids, commits };
}

export const storedOf = (commits: readonly Uint8Array[]) => async (seq: number): Promise<Stored | undefined> => {
  const bytes = commits[seq - 1];
  return bytes && { seq, bytes };
};

export const committedIn = (commits: readonly Uint8Array[]): Committed[] => commits.map((bytes, nth) => {
  const commit = decodeCommit(bytes);
  return committedOf(commit, P0, nth + 1, headOf(commit, P0, nth + 1, bytes).hash, bytes);
});
