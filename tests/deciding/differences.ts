/** What deciding again comes to, compared with what is in the journal, byte by byte. */
import protobuf from 'protobufjs/minimal.js';
import { journal } from '../../protocols/messages.js';
import type { EncodedCommit } from '../../streams/encoded-commit.js';
import { readCommit } from '../../streams/contents.js';
import { decideCommitAgain, type DecidedAgain } from '../../partition/core/decide-again.js';
import type { PartitionState } from '../../partition/core/state.js';

export type Compared = 'contents as well' | 'hashed bodies';

/**
 * One line for each event that is not decided again as it was, after folding all commits.
 * @param of contents are compared as well, or only what the hash covers, as where contents were removed
 */
export function differencesOf(
  commits: readonly Uint8Array[], state: PartitionState, of: Compared = 'contents as well',
): string[] {
  return commits.flatMap((bytes, nth) => differencesIn(bytes, nth + 1, state, of));
}

/** Of one commit, which is folded. */
export function differencesIn(bytes: Uint8Array, seq: number, state: PartitionState, of: Compared): string[] {
  const { commit, encoded } = readCommit(bytes);
  const found: string[] = [];
  decideCommitAgain(state, commit, seq, (decided) => {
    const difference = differenceOf(decided, encoded, of);
    if (difference) found.push(`${seq}.${decided.at.index} ${decided.recorded.event.type}: ${difference}`);
  });
  return found;
}

function differenceOf(
  { at, kind, recorded: { event }, again }: DecidedAgain, encoded: EncodedCommit, compared: Compared,
): string | undefined {
  if (again.kind === 'unrecorded') return `unrecorded: ${again.missing}`;
  if (again.kind === 'undecided') return `undecided: ${again.why}`;
  const { type, body } = again.event;
  if (type !== event.type) return `became ${type}`;
  const { message, content } = kind.events[type]!;
  // A commit of version 1 has all content in its bodies.
  const isApart = encoded.leaf(at.index) !== undefined;
  const hashed = message.encode((isApart && content?.without(body)) || body, protobuf.Writer.create()).finish();
  const stored = journal.Event.decode(encoded.event(at.index)!).body;
  if (Buffer.compare(hashed, stored) !== 0) return `${JSON.stringify(body)}, was ${JSON.stringify(event.body)}`;
  if (!isApart || compared === 'hashed bodies') return undefined;
  const [decided, was] = [Buffer.from(content?.bytes(body) ?? ''), Buffer.from(encoded.content(at.index) ?? '')];
  return decided.equals(was) ? undefined : `content ${decided.toString()}, was ${was.toString()}`;
}
