/**
 * Verifies the snapshots of a partition. Each is read back and compared with its manifest, the journal must have its
 * commit, and, if asked for, folding the journal to its position must lead to its state.
 */
import type { CastMember } from '../actors/cast.js';
import { stateHash } from '../actors/rows/parts.js';
import { PartitionCore } from '../partition/core/core.js';
import { freeze, thaw } from '../partition/core/state.js';
import { messageOf, RepriseError } from '../protocols/errors.js';
import { Keyring, SECRET_BYTES } from '../protocols/keyring.js';
import { Chain, READER } from '../streams/chain.js';
import { commitHash } from '../streams/contents.js';
import type { Journal } from '../streams/journal.js';
import { randomSalts } from '../streams/salts.js';
import { headOfSnapshot, SNAPSHOT_VERSION } from '../streams/snapshots/manifest.js';
import type { SnapshotStore, StoredSnapshot } from '../streams/snapshots/store.js';

export interface SnapshotFinding {
  readonly snapshot: StoredSnapshot;
  /** What is wrong with it. One that is not marked as verified is not used, so nothing is wrong with it. */
  problem?: string;
  /** Whether the journal still has its commit, with its hash; undefined if that was not compared. */
  commit?: 'there' | 'truncated';
  /**
   * `same`: folding led to its state. `base`: the fold began with it, because the journal does not reach back farther.
   * undefined if it was not compared.
   */
  fold?: 'same' | 'base';
}

export interface VerifySnapshots {
  readonly store: Pick<SnapshotStore, 'list' | 'read' | 'verify'>;
  readonly journal: Journal;
  /** To fold with; undefined: without. */
  readonly kinds: readonly CastMember[] | undefined;
  onProgress(text: string): void;
}

/** Newest first. @throws RepriseError for anything that is no finding, such as missing rights */
export async function verifySnapshots(options: VerifySnapshots): Promise<readonly SnapshotFinding[]> {
  const { store, journal, kinds, onProgress } = options;
  const { partition } = journal;
  const snapshots = await store.list(partition);
  const findings: SnapshotFinding[] = [];
  for (const [nth, snapshot] of snapshots.entries()) {
    onProgress(`partition ${partition}: reading snapshot ${nth + 1} of ${snapshots.length}`);
    const finding = await readBack(options, snapshot);
    if (finding !== undefined) findings.push(finding);
  }
  if (kinds !== undefined) await new Folding(options, kinds).compare(findings.filter(isUsable).reverse());
  return findings;
}

const isUsable = ({ snapshot, problem }: SnapshotFinding): boolean =>
  snapshot.isVerified && problem === undefined && isReadable(snapshot);

/** That of a newer release may have other parts. Brokers of this one pass it over. */
export const isReadable = ({ version, minReader }: StoredSnapshot): boolean =>
  version <= SNAPSHOT_VERSION && minReader <= READER;

/** @returns undefined if it was replaced by newer ones meanwhile */
async function readBack(options: VerifySnapshots, snapshot: StoredSnapshot): Promise<SnapshotFinding | undefined> {
  if (!snapshot.isVerified) return { snapshot };
  const { store, journal } = options;
  try {
    await store.verify(snapshot.name, snapshot);
  } catch (error) {
    if (!(error instanceof RepriseError) || error.code !== 'SNAPSHOT_BROKEN') throw error;
    const isThere = (await store.list(journal.partition)).some(({ name }) => name === snapshot.name);
    return isThere ? { snapshot, problem: error.message } : undefined;
  }
  return { snapshot, ...(await commitOf(journal, snapshot)) };
}

async function commitOf(
  journal: Journal, { seq, hash }: StoredSnapshot,
): Promise<Pick<SnapshotFinding, 'commit' | 'problem'>> {
  const { firstSeq, lastSeq } = await journal.end();
  if (seq < firstSeq) return { commit: 'truncated' };
  if (seq > lastSeq) return { problem: `The journal ends at ${lastSeq}, before the snapshot: it lost commits.` };
  const stored = await journal.read(seq);
  if (stored === undefined) return { problem: `The journal lacks the commit at ${seq}, but has earlier ones.` };
  if (Buffer.from(commitHash(stored.bytes)).toString('hex') === hash) return { commit: 'there' };
  return { problem: `The journal has another commit at ${seq} than the snapshot says.` };
}

class Folding {
  private readonly core: PartitionCore;

  constructor(
    private readonly options: VerifySnapshots,
    kinds: readonly CastMember[],
  ) {
    // Nothing is signed here.
    const keyring = new Keyring([{ id: 'audit', secret: new Uint8Array(SECRET_BYTES) }]);
    this.core = new PartitionCore({ partition: options.journal.partition, kinds, keyring, salts: randomSalts() });
  }

  /** @param findings oldest first; their problems and results are noted in them */
  async compare(findings: readonly SnapshotFinding[]): Promise<void> {
    const open = [...findings];
    try {
      const chain = await this.begin(open);
      if (open.length > 0) await this.foldOn(chain, open);
    } catch (error) {
      if (!(error instanceof RepriseError) || !OF_THE_JOURNAL.has(error.code)) throw error;
      for (const finding of open) finding.problem = `The journal could not be folded so far: ${messageOf(error)}`;
    }
  }

  /** Where the journal begins, or with the oldest snapshot that it goes on from. Takes out what is not folded. */
  private async begin(open: SnapshotFinding[]): Promise<Chain> {
    const { journal, store } = this.options;
    const { firstSeq } = await journal.end();
    if (firstSeq <= 1) return new Chain(journal.partition);
    while (open[0] !== undefined && open[0].snapshot.seq < firstSeq - 1) open.shift();
    const base = open.shift();
    if (base === undefined) return new Chain(journal.partition);
    thaw(this.core.state, await store.read(base.snapshot.name, base.snapshot));
    base.fold = 'base';
    return new Chain(journal.partition, headOfSnapshot(base.snapshot));
  }

  private async foldOn(chain: Chain, open: SnapshotFinding[]): Promise<void> {
    const { journal, onProgress } = this.options;
    const fromSeq = (chain.head?.seq ?? 0) + 1;
    const untilSeq = open.at(-1)!.snapshot.seq;
    for await (const stored of journal.replay(fromSeq)) {
      const accepted = chain.accept(stored);
      if (accepted.kind === 'commit') this.core.replay(accepted.commit, stored.seq);
      onProgress(`partition ${journal.partition}: folding position ${stored.seq} of ${untilSeq}`);
      while (open[0]?.snapshot.seq === stored.seq) this.check(open.shift()!);
      if (open.length === 0) return;
    }
    throw new RepriseError('JOURNAL_BROKEN', `The journal has no commit at ${open[0]!.snapshot.seq}.`);
  }

  private check(finding: SnapshotFinding): void {
    const { snapshot } = finding;
    const found = stateHash(freeze(this.core.state)).toString('hex');
    if (found === snapshot.stateHash) finding.fold = 'same';
    else finding.problem = `Folding the journal to ${snapshot.seq} leads to another state than the snapshot has.`;
  }
}

const OF_THE_JOURNAL: ReadonlySet<string> = new Set(['JOURNAL_BROKEN', 'JOURNAL_TOO_NEW', 'FOLD_DIVERGED']);
