/**
 * What keeps a journal from being truncated. Whoever still needs commits has a watermark: the position up to which it
 * has passed them. What lies above the lowest one must stay. Pure.
 */
export interface Watermark {
  /** Such as `the archive`, for people. */
  readonly name: string;
  /** It needs nothing up to this position. 0: it needs everything. */
  readonly seq: number;
}

export interface LowWatermark {
  /** No one needs anything up to this position. 0: nothing may be removed. */
  readonly seq: number;
  /** Whose watermark it is; several may be equal. */
  readonly names: readonly string[];
  /** How many positions more would be free without them, up to the next watermark or the end of the journal. */
  readonly by: number;
}

/**
 * @param lastSeq the last position of the journal. A watermark above it counts as one at it
 * @param firstSeq its first position: what was removed before waits for no one
 * @returns undefined without any watermark: who has not said what it needs may need everything, so nothing is removed
 */
export function lowWatermark(
  watermarks: readonly Watermark[], lastSeq: number, firstSeq = 1,
): LowWatermark | undefined {
  if (watermarks.length === 0) return undefined;
  const seq = Math.min(lastSeq, ...watermarks.map((watermark) => watermark.seq));
  const names = watermarks.filter((watermark) => Math.min(watermark.seq, lastSeq) === seq).map(({ name }) => name);
  const others = watermarks.filter((watermark) => watermark.seq > seq).map((watermark) => watermark.seq);
  const by = Math.max(0, Math.min(lastSeq, ...others) - Math.max(seq, firstSeq - 1));
  return { seq, names, by };
}

/** So many verified snapshots must have passed what is removed: if the newest cannot be read, there is another. */
export const SNAPSHOTS_NEEDED = 2;

/** @param seqs of the verified snapshots, in any order */
export function watermarkOfSnapshots(seqs: readonly number[]): Watermark {
  const newestFirst = [...seqs].sort((a, b) => b - a);
  return { name: `${SNAPSHOTS_NEEDED} verified snapshots`, seq: newestFirst[SNAPSHOTS_NEEDED - 1] ?? 0 };
}

export const watermarkOfProjection = (projection: string, seq: number): Watermark =>
  ({ name: `the projection ${projection}`, seq });
/** @param seq of its last commit; 0 if nothing is archived yet */
export const watermarkOfArchive = (seq: number): Watermark => ({ name: 'the archive', seq });
