/** What deciding again comes to, compared with what is in the journal, byte by byte. */
import protobuf from 'protobufjs/minimal.js';
import { journal } from '../../protocols/messages.js';
import type { EncodedCommit } from '../../streams/encoded-commit.js';
import { readCommit } from '../../streams/contents.js';
import { decideCommitAgain, type DecidedAgain } from '../../partition/core/decide-again.js';
import type { PartitionState } from '../../partition/core/state.js';

/**
 * One line for each event that is not decided again as it was, after folding all commits.
 * @param of contents are compared as well, or only what the hash covers, as where contents were removed
 */
export function differencesOf(
  commits: readonly Uint8Array[], state: PartitionState, of: 'contents as well' | 'hashed bodies' = 'contents as well',
): string[] {
  const found: string[] = [];
  commits.forEach((bytes, nth) => {
    const { commit, encoded } = readCommit(bytes);
    decideCommitAgain(state, commit, nth + 1, (decided) => {
      const difference = differenceOf(decided, encoded, of === 'contents as well');
      if (difference) found.push(`${nth + 1}.${decided.at.index} ${decided.recorded.event.type}: ${difference}`);
    });
  });
  return found;
}

function differenceOf(
  { at, kind, recorded: { event }, again }: DecidedAgain, encoded: EncodedCommit, withContent: boolean,
): string | undefined {
  if (again.kind === 'unrecorded') return `unrecorded: ${again.missing}`;
  if (again.kind === 'undecided') return `undecided: ${again.why}`;
  const { type, body } = again.event;
  if (type !== event.type) return `became ${type}`;
  const { message, content } = kind.events[type]!;
  const hashed = message.encode(content?.without(body) ?? body, protobuf.Writer.create()).finish();
  const stored = journal.Event.decode(encoded.event(at.index)!).body;
  if (Buffer.compare(hashed, stored) !== 0) return `${JSON.stringify(body)}, was ${JSON.stringify(event.body)}`;
  if (!withContent) return undefined;
  const [decided, was] = [Buffer.from(content?.bytes(body) ?? ''), Buffer.from(encoded.content(at.index) ?? '')];
  return decided.equals(was) ? undefined : `content ${decided.toString()}, was ${was.toString()}`;
}
