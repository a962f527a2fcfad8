/** Why a reader halts at a commit that needs a newer one, and which release that is. */
import { RepriseError } from '../protocols/errors.js';
import { journal } from '../protocols/messages.js';

/** A reader meets the barrier first, unless it begins behind it. */
const BARRIER = 'VersionBarrier';

export function tooNew(commit: journal.Commit, seq: number, needed: number, reader: number): RepriseError {
  const at = `The commit at ${seq} of partition ${commit.partition}`;
  const needs = `${at} needs a reader of version ${needed}; this one is ${reader}.`;
  const release = releaseOf(commit);
  const wrote = release === '' ? 'A newer release' : `Release ${release}`;
  const message = `${needs} ${wrote} wrote it: upgrade all brokers to that release or a later one.`;
  return new RepriseError('JOURNAL_TOO_NEW', message, { cause: { position: seq } });
}

/** Empty if the commit has no barrier that can be read: this version does not know what else is in it. */
function releaseOf({ events }: journal.Commit): string {
  const barrier = events.find(({ kind, type }) => kind === 'partition' && type === BARRIER);
  try {
    return journal.VersionBarrier.decode(barrier?.body ?? new Uint8Array()).release.slice(0, 64);
  } catch {
    return '';
  }
}
