/** snapshot.take: leaders take snapshots of their partitions now. It records nothing, and each is done by itself. */
import { z } from 'zod';
import { Invalid } from '../../../protocols/bounds.js';
import { reject, wireError } from '../../../protocols/errors.js';
import type { Partition } from '../../../protocols/ids.js';
import { snapshot } from '../../../protocols/messages.js';
import type { StoredSnapshot } from '../../../streams/snapshots/store.js';
import type { Command, Split } from '../../command.js';
import { message, type Releasing, type Reply } from '../../reply.js';
import { count } from '../../shapes.js';

/** Beyond this time the requester does not know whether it was taken: a large state takes seconds. */
export const SNAPSHOT_HOLD_MS = 60_000;

export interface Take {
  /** At least one, each once. */
  readonly partitions: readonly Partition[];
}

type Taken = snapshot.TakenSnapshot.$Properties;

const toPartitions: Split<snapshot.TakeSnapshots, Take> = {
  to: 'split',
  parts: ({ partitions }) => new Map(partitions.map((partition, nth) => [partition, [nth]])),
  part: ({ partitions }, nths) => ({ partitions: nths.map((nth) => partitions[nth]!) }),
  /** Those of a request that names none are numbered as the partitions are. */
  forwarded: ({ partitions }, nths) =>
    ({ partitions: partitions.length === 0 ? nths : nths.map((nth) => partitions[nth]!) }),
  begin: ({ partitions }): snapshot.SnapshotsTaken.$Properties =>
    ({ snapshots: partitions.map((partition) => ({ partition })) }),
  join({ snapshots }: { snapshots: Taken[] }, [nth], { message: replied, refused }) {
    const { partition } = snapshots[nth!]!;
    const taken = (replied as snapshot.SnapshotsTaken.$Properties | undefined)?.snapshots?.[0];
    const why = refused ?? reject('UNKNOWN', 'the reply of the leader lacks this partition');
    snapshots[nth!] = taken ?? { partition, error: wireError(why) };
  },
};

async function takenReply(partition: Partition, releasing: Releasing): Promise<Reply> {
  const taken = await releasing.takeSnapshot();
  if (taken.kind === 'taken') return message({ snapshots: [takenOf(taken.snapshot)] });
  return message({ snapshots: [{ partition, error: wireError(reject('SNAPSHOT_FAILED', taken.message)) }] });
}

function takenOf({ partition, name, seq, hash, stateHash, bytes, takenMs }: StoredSnapshot): Taken {
  return {
    partition, name, seq, hash: Buffer.from(hash, 'hex'), stateHash: Buffer.from(stateHash, 'hex'), bytes, takenMs,
  };
}

function takenJson({ partition = 0, error, hash, stateHash, ...rest }: Taken): object {
  if (error) return { partition, error };
  const hex = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('hex');
  return { partition, ...rest, hash: hex(hash), stateHash: hex(stateHash) };
}

/** Without the defaults of the prototype, which would show an error as a snapshot at position 0. */
const received = ({ partition, error, ...rest }: snapshot.TakenSnapshot): Taken =>
  (error ? { partition, error } : { partition, ...rest });

/** @throws Invalid */
function checkPartitions(given: readonly number[], partitions: number): Take {
  if (given.length === 0) return { partitions: Array.from({ length: partitions }, (_, n) => n as Partition) };
  const seen = new Set<number>();
  for (const each of given) {
    if (!(Number.isInteger(each) && each >= 0 && each < partitions)) {
      throw new Invalid('WRONG_PARTITION', `partition ${each} does not exist; there are ${partitions}`);
    }
    if (seen.has(each)) throw new Invalid('INVALID_ARGUMENT', `partitions must name ${each} once`);
    seen.add(each);
  }
  return { partitions: given as readonly Partition[] };
}

export const take = {
  noun: 'snapshot',
  verb: 'take',
  does: 'takes a snapshot of each partition now, or of those named; replies when they were read back and compared',
  request: snapshot.TakeSnapshots,
  reply: snapshot.SnapshotsTaken,
  json: z.strictObject({ partitions: z.array(count).optional() }),
  codes: [],
  routing: toPartitions,
  check: (request, { partitions }) => checkPartitions(request.partitions, partitions),
  holdMs: () => SNAPSHOT_HOLD_MS,
  decide: (step, _, { to }) => step.answer(to, takenReply, step.partition),
  received: ({ snapshots }: snapshot.SnapshotsTaken) =>
    ({ snapshots: snapshots.map((each) => received(each as snapshot.TakenSnapshot)) }),
  toJson: ({ snapshots }: snapshot.SnapshotsTaken.$Properties) =>
    JSON.stringify({ snapshots: (snapshots ?? []).map(takenJson) }),
} as const satisfies Command<snapshot.TakeSnapshots, Take>;
