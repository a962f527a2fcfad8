/** The client's function for snapshots. It needs the user of brokers: see nats-server.conf. */
import { SNAPSHOT_HOLD_MS, take } from '../actors/snapshot/commands/take.js';
import { foreignRejection, wireError, type WireError } from '../protocols/errors.js';
import type { snapshot as messages } from '../protocols/messages.js';
import { checkWholes } from './checks.js';
import type { Client } from './client.js';

export interface TakenSnapshot {
  readonly partition: number;
  /** Of the object in the store. */
  readonly name: string;
  /** Position and hash of the commit that the state is folded to. Hashes are hexadecimal. */
  readonly seq: number;
  readonly hash: string;
  readonly stateHash: string;
  /** As stored. */
  readonly bytes: number;
  /** Unix milliseconds. */
  readonly takenMs: number;
  /** That of this partition was not taken; the other fields are empty then. */
  readonly error: WireError | undefined;
}

/**
 * Has the leaders take snapshots now. Replies when they were read back and compared.
 * @param partitions empty: all
 */
export async function takeSnapshots(client: Client, partitions: readonly number[] = []): Promise<TakenSnapshot[]> {
  checkWholes('partitions', partitions);
  const reply = await client.request<messages.SnapshotsTaken>(take, { partitions }, SNAPSHOT_HOLD_MS);
  return reply.snapshots.map((each) => takenOf(each as messages.TakenSnapshot));
}

function takenOf(message: messages.TakenSnapshot): TakenSnapshot {
  const { partition, name, seq, hash, stateHash, bytes, takenMs, error } = message;
  return {
    partition, name, seq, hash: hex(hash), stateHash: hex(stateHash), bytes, takenMs,
    error: error ? wireError(foreignRejection(error)) : undefined,
  };
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
