/** Snapshots as people and programs read them. */
import type { StoredSnapshot } from '../../streams/snapshots/store.js';
import { ageText, countText, sizeText } from '../figures.js';
import { table } from '../table.js';
import { visible } from '../terminal.js';

const HEADINGS = ['partition', 'position', 'age', 'size', 'parts', 'release', 'verified'] as const;

export const tableOf = (snapshots: readonly StoredSnapshot[], nowMs: number): Generator<string> =>
  table(HEADINGS, snapshots.map((snapshot) => ({
    cells: cells(snapshot, nowMs), colour: snapshot.isVerified ? undefined : 'yellow' as const,
  })));

function cells({ partition, seq, takenMs, bytes, parts, release, isVerified }: StoredSnapshot, nowMs: number): string[] {
  return [
    String(partition), String(seq), ageText(takenMs, nowMs), sizeText(bytes), countText(parts), visible(release),
    isVerified ? 'yes' : 'no',
  ];
}

/** Without the versions of all events. */
export function snapshotJson({ isVerified, ...snapshot }: StoredSnapshot): object {
  const { name, partition, journalId, seq, hash, epoch, stateHash, bytes, parts, release, takenMs } = snapshot;
  return {
    name, partition, journalId, seq, hash, epoch, stateHash, bytes, parts, release, takenMs, verified: isVerified,
  };
}
