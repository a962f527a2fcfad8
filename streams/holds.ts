/**
 * What keeps a journal from being truncated. Whoever still needs commits has a hold: the position up to which it has
 * passed them. What lies above the lowest one must stay. Pure.
 */
export interface Hold {
  /** Such as `the archive`, for people. */
  readonly name: string;
  /** It needs nothing up to this position. 0: it needs everything. */
  readonly seq: number;
}

export interface LowestHold {
  /** No one needs anything up to this position. 0: nothing may be removed. */
  readonly seq: number;
  /** Whose hold it is; several may be equal. */
  readonly names: readonly string[];
  /** How many positions more would be free without them, up to the next hold or the end of the journal. */
  readonly by: number;
}

/**
 * @param lastSeq the last position of the journal. A hold above it counts as one at it
 * @returns undefined without any hold: who has not said what it needs may need everything, so nothing may be removed
 */
export function lowestHold(holds: readonly Hold[], lastSeq: number): LowestHold | undefined {
  if (holds.length === 0) return undefined;
  const seq = Math.min(lastSeq, ...holds.map((hold) => hold.seq));
  const names = holds.filter((hold) => Math.min(hold.seq, lastSeq) === seq).map(({ name }) => name);
  const others = holds.filter((hold) => hold.seq > seq).map((hold) => hold.seq);
  return { seq, names, by: Math.min(lastSeq, ...others) - seq };
}

/** So many verified snapshots must have passed what is removed: if the newest cannot be read, there is another. */
export const SNAPSHOTS_NEEDED = 2;

/** @param seqs of the verified snapshots, in any order */
export function holdOfSnapshots(seqs: readonly number[]): Hold {
  const newestFirst = [...seqs].sort((a, b) => b - a);
  return { name: `${SNAPSHOTS_NEEDED} verified snapshots`, seq: newestFirst[SNAPSHOTS_NEEDED - 1] ?? 0 };
}

export const holdOfProjection = (projection: string, seq: number): Hold => ({ name: `the projection ${projection}`, seq });
/** @param seq of its last commit; 0 if nothing is archived yet */
export const holdOfArchive = (seq: number): Hold => ({ name: 'the archive', seq });
