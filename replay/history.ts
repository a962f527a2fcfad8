/** Reads the events of one actor from a journal and checks the chain on the way. */
import { RepriseError } from '../protocols/errors.js';
import type { JobId, Partition } from '../protocols/ids.js';
import { partitionOfJob } from '../protocols/ids.js';
import { decodeLeniently } from '../protocols/lenient.js';
import { journal } from '../protocols/messages.js';
import { Chain } from '../streams/chain.js';
import { checkWritten, type ReadCommit } from '../streams/contents.js';
import type { Stored } from '../streams/journal.js';
import { openWholeJournal, type WholeJournalOptions } from '../streams/whole-journal.js';

export interface Range {
  readonly firstSeq: number;
  readonly lastSeq: number;
}

export interface Fact {
  readonly seq: number;
  readonly index: number;
  readonly nowMs: number;
  /** Its body is whole, unless its content was removed. */
  readonly event: journal.Event;
}

/** Of journals, each with its archive. */
export type Source = Omit<WholeJournalOptions, 'partition'>;

/** Which actor, and in which journal. */
export interface ActorAt {
  readonly partition: Partition;
  readonly kind: string;
  readonly id: string;
}

/** @param range the whole journal by default */
export const history = (source: Source, id: JobId, range?: Range): AsyncGenerator<Fact> =>
  historyOf(source, { partition: partitionOfJob(id), kind: 'job', id }, range);

/** @param range the whole journal by default */
export async function* historyOf(
  from: Source, actor: ActorAt, range: Range = { firstSeq: 1, lastSeq: Infinity },
): AsyncGenerator<Fact> {
  const { partition } = actor;
  const source = await openWholeJournal({ ...from, partition });
  try {
    let chain: Chain | undefined;
    for await (const stored of source.replay(range.firstSeq)) {
      if (stored.seq > range.lastSeq) return;
      if (chain === undefined && stored.seq > range.firstSeq) throw begins(partition, stored.seq);
      chain ??= chainBefore(partition, range.firstSeq, stored);
      const accepted = chain.accept(stored);
      if (accepted.kind === 'commit') yield* factsOf(accepted, stored.seq, actor);
    }
  } finally {
    await source.close();
  }
}

/** The first commit that is read names its predecessor. From there on every link is checked. */
function chainBefore(partition: Partition, firstSeq: number, stored: Stored): Chain {
  if (firstSeq === 1) return new Chain(partition);
  const commit = decodeLeniently(journal.Commit, stored.bytes) as journal.Commit;
  const { journalId, prevSeq, prevHash, epoch, nowMs, minReader } = commit;
  return new Chain(partition, { journalId, partition, seq: prevSeq, hash: prevHash, epoch, nowMs, minReader });
}

function begins(partition: Partition, seq: number): RepriseError {
  const hint = 'Name the archive of its earlier commits by --archive. See also `reprise audit verify`.';
  const message = `The journal of partition ${partition} begins at ${seq}, and no archive of it is known.`;
  return new RepriseError('NOT_FOUND', message, { hint });
}

function* factsOf({ commit, encoded }: ReadCommit, seq: number, { kind, id }: ActorAt): Generator<Fact> {
  for (const [index, event] of commit.events.entries()) {
    if (event.kind !== kind || event.id !== id) continue;
    checkWritten(encoded, seq, index);
    yield { seq, index, nowMs: commit.nowMs, event: event as journal.Event };
  }
}
