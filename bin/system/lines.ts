/** The figures of a partition as people and programs read them. */
import { ageText, countText, sizeText } from '../figures.js';
import { snapshotJson } from '../snapshots/lines.js';
import { visible } from '../terminal.js';
import type { PartitionFigures } from './figures.js';

export function* linesOf(figures: PartitionFigures, nowMs: number): Generator<string> {
  const line = (name: string, value: string): string => `  ${name.padEnd(11)} ${value}`;
  yield `partition ${figures.partition}`;
  yield line('journal', journalText(figures));
  yield line('snapshots', snapshotsText(figures, nowMs));
  yield line('archive', archiveText(figures));
  yield line('watermarks', figures.watermarks.map(({ name, seq }) => `${name}: ${seq}`).join(', '));
  yield line('truncation', truncationText(figures));
}

export function journalText({ journal: { firstSeq, lastSeq, commits, bytes } }: PartitionFigures): string {
  return commits === 0 ? 'empty' : `positions ${firstSeq} to ${lastSeq}, ${sizeText(bytes)}`;
}

export function snapshotsText({ snapshots }: PartitionFigures, nowMs: number): string {
  const verified = snapshots.filter(({ isVerified }) => isVerified);
  const [newest] = verified;
  if (newest === undefined) return 'none is verified';
  const bytes = snapshots.reduce((sum, each) => sum + each.bytes, 0);
  const age = ageText(newest.takenMs, nowMs);
  return `${verified.length} verified, ${sizeText(bytes)}; the newest at position ${newest.seq}, ${age} old`;
}

export function archiveText({ archive: { location, seq, problem } }: PartitionFigures): string {
  if (problem !== undefined) return `cannot be read from here: ${visible(problem)}`;
  if (location === undefined) return 'none, so the journal is never truncated';
  return `${seq === 0 ? 'nothing yet' : `up to position ${seq}`}, in ${visible(location)}`;
}

/** What may be removed, and who alone keeps more from being removed. */
export function truncationText({ truncation, journal: { firstSeq } }: PartitionFigures): string {
  if (truncation === undefined) return 'nothing may be removed: nobody has said what is still needed';
  const { seq, names, by } = truncation;
  const nothing = seq < Math.max(1, firstSeq);
  const free = nothing ? 'nothing may be removed' : `positions up to ${seq} may be removed`;
  return by === 0 ? free : `${free}; ${countText(by)}${nothing ? '' : ' more'} wait for ${names.join(' and ')}`;
}

export const figuresJson = ({ snapshots, ...figures }: PartitionFigures): object =>
  ({ ...figures, snapshots: snapshots.map(snapshotJson) });
