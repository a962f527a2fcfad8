/** For tests: what deciding again comes to, compared with what is in the journal, byte by byte. */
import { journal } from '../../protocols/messages.js';
import type { EncodedCommit } from '../../streams/encoded-commit.js';
import { readCommit } from '../../streams/contents.js';
import { decideCommitAgain, type DecidedAgain } from './decide-again.js';
import type { PartitionState } from './state.js';

/**
 * One line for each event that is not decided again as it was, after folding all commits.
 * @param of contents are compared as well, or only what the hash covers, as where contents were removed
 */
export function differencesOf(
  commits: readonly Uint8Array[], state: PartitionState, of: 'bodies and contents' | 'hashed bodies' = 'bodies and contents',
): string[] {
  const found: string[] = [];
  commits.forEach((bytes, nth) => {
    const { commit, encoded } = readCommit(bytes);
    decideCommitAgain(state, commit, nth + 1, (decided) => {
      const difference = differenceOf(decided, encoded, of === 'bodies and contents');
      if (difference) found.push(`${nth + 1}.${decided.at.index} ${decided.recorded.event.type}: ${difference}`);
    });
  });
  return found;
}

function differenceOf({ at, kind, recorded, again }: DecidedAgain, encoded: EncodedCommit, withContent: boolean): string | undefined {
  if (again.kind !== 'decided') return again.kind === 'unrecorded' ? `unrecorded: ${again.missing}` : `undecided: ${again.why}`;
  const { type, body } = again.event;
  if (type !== recorded.event.type) return `became ${type}`;
  const of = kind.events[type]!;
  const hashed = of.message.encode(of.content?.without(body) ?? body).finish();
  const stored = journal.Event.decode(encoded.event(at.index)!).body;
  if (Buffer.compare(hashed, stored) !== 0) return `body ${JSON.stringify(body)}, was ${JSON.stringify(recorded.event.body)}`;
  if (!withContent) return undefined;
  const [content, was] = [of.content?.bytes(body) ?? NONE, encoded.content(at.index) ?? NONE];
  return Buffer.compare(content, was) === 0 ? undefined : `content ${Buffer.from(content).toString()}, was ${Buffer.from(was).toString()}`;
}

const NONE = new Uint8Array(0);
