/** Restores the journal of one partition, and reads it back. */
import type { NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { wholly } from '../backup/wholly.js';
import { Chain, sameBytes, type Head } from '../chain.js';
import { decodeCommit } from '../contents.js';
import { openJournal } from '../jetstream.js';
import type { Stored } from '../journal.js';
import { Objects } from '../snapshots/objects.js';
import { SnapshotStore } from '../snapshots/store.js';
import { forkAfter, headOfFork, type Restoring } from './fork.js';
import type { Content } from './plan.js';
import { JournalWriter } from './write-journal.js';

export interface RestorePartitionOptions {
  readonly url: string;
  readonly nc: NatsConnection;
  readonly ns: Namespace;
  readonly restoring: Restoring;
  /** Called before every write to the server. */
  readonly writing: (what: string) => void;
  readonly onProgress: (seq: number) => void;
}

/** Goes on where an earlier run ended. @returns the head of the restored journal, which is the record of the restore */
export async function restorePartition(content: Content, options: RestorePartitionOptions): Promise<Head> {
  const { url, nc, ns, restoring, writing, onProgress } = options;
  const { archive, head, firstSeq } = content;
  const { partition } = head;
  const journal = await openJournal({ url, ns, partition });
  try {
    const { lastSeq } = await journal.end();
    const writer = new JournalWriter({ nc, ns, partition, writing, onWritten: onProgress }, lastSeq);
    if (lastSeq < head.seq) {
      for await (const stored of archive.replay(Math.max(firstSeq, lastSeq + 1))) {
        if (stored.seq > head.seq) break;
        await writer.add(stored);
      }
    }
    if (lastSeq <= head.seq) await writer.add(forkAfter(head, restoring));
    await writer.end();
    return await verified(content, wholly(journal, firstSeq));
  } finally {
    await journal.close();
  }
}

/** Compares what the server has with what was to be restored, by the chain of hashes and both of its ends. */
async function verified({ head, firstSeq, snapshot, isWhole }: Content, commits: AsyncIterable<Stored>): Promise<Head> {
  const { partition } = head;
  let chain: Chain | undefined;
  let restored: Head | undefined;
  for await (const stored of commits) {
    if (restored !== undefined) throw differs(partition, stored.seq, 'there is more than was restored');
    if (chain === undefined && stored.seq !== firstSeq) throw differs(partition, firstSeq, 'it is missing');
    chain ??= new Chain(partition, isWhole && firstSeq === 1 ? undefined : headBefore(stored, partition));
    chain.accept(stored);
    const at = chain.head;
    if (snapshot?.manifest.seq === stored.seq && hexOf(at) !== snapshot.manifest.hash) {
      throw differs(partition, stored.seq, 'the snapshot is of another commit');
    }
    if (stored.seq === head.seq && (at === undefined || !sameBytes(at.hash, head.hash))) {
      throw differs(partition, stored.seq, 'it has another hash than in the backup');
    }
    if (stored.seq === head.seq + 1) restored = headOfFork(stored, head);
  }
  if (restored === undefined) throw differs(partition, head.seq + 1, 'it is missing');
  return restored;
}

/** As the first commit names it: the end of the chain is compared with the backup. */
function headBefore({ bytes }: Stored, partition: Partition): Head {
  const { journalId, prevSeq, prevHash, epoch, nowMs, minReader } = decodeCommit(bytes);
  return { journalId, partition, seq: prevSeq, hash: prevHash, epoch, nowMs, minReader };
}

const hexOf = (head: Head | undefined): string => Buffer.from(head?.hash ?? []).toString('hex');

function differs(partition: number, position: number, why: string): RepriseError {
  const message = `What was restored of partition ${partition} is not what the backup has: ${position}, ${why}.`;
  const hint = 'Run the command again with --start-over.';
  return new RepriseError('JOURNAL_BROKEN', message, { hint, cause: { position } });
}

/** Into the store of snapshots, unless it is there already. */
export async function restoreSnapshot({ snapshot }: Content, options: RestorePartitionOptions): Promise<void> {
  if (snapshot === undefined) return;
  const { manifest: { isVerified: _, ...manifest }, bytes } = snapshot;
  const store = new SnapshotStore(new Objects(options.nc, options.ns));
  const found = await store.list(manifest.partition as Partition);
  const { seq, takenMs } = manifest;
  if (found.some((each) => each.isVerified && each.seq === seq && each.takenMs === takenMs)) return;
  options.writing(`snapshot of ${manifest.partition}`);
  await store.writeBytes(manifest, bytes);
}
