/** How far the archive of a namespace goes, by the newest manifest of each partition. Nothing else of it is read. */
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import type { ArchivePlace } from '../../streams/archive/behind.js';
import { folderOf, isManifestName } from '../../streams/archive/manifest.js';
import { readManifest } from '../../streams/archive/write-segment.js';

export interface Archived {
  /** undefined if the namespace has none, or if it cannot be opened. */
  readonly location?: string;
  /** Of the last commit in it. 0: nothing, or it cannot be read. */
  readonly seq: number;
  /** When the first commit that it does not have was stored. Only with a location. */
  readonly waitingSinceMs?: number | undefined;
  /** Why it cannot be read from here. */
  readonly problem?: string;
}

/** @param journalId undefined if none of its commits is known */
export async function archivedIn(
  place: ArchivePlace, namespace: Namespace, partition: Partition, journalId: string | undefined,
): Promise<Archived> {
  try {
    const store = await place.open();
    if (store === undefined) return { seq: 0 };
    const names = journalId === undefined ? [] : await store.list(folderOf({ namespace, journalId, partition }));
    const last = names.filter(isManifestName).at(-1);
    const seq = last === undefined ? 0 : (await readManifest(store, last)).facts.lastSeq;
    return { location: store.location, seq };
  } catch (error) {
    if (!(error instanceof RepriseError)) throw error;
    return { seq: 0, problem: error.message };
  }
}
