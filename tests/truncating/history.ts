/**
 * What a journal says of its jobs, by a reader that shares no code with the implementation: the .proto files by
 * reflection, and a model that knows no more of an event than its status.
 */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import protobuf from 'protobufjs';

const PROTOCOLS = join(import.meta.dirname, '../../protocols');
const SALT_BYTES = 16;

const root = new protobuf.Root();
root.resolvePath = (_, target) => (target.startsWith('/') ? target : join(PROTOCOLS, target));
root.loadSync(['journal/v1/journal.proto', 'job/v1/job.proto', 'error/v1/error.proto']);
const Commit = root.lookupType('reprise.journal.v1.Commit');

interface Decoded {
  readonly prevSeq: number;
  readonly prevHash: Uint8Array;
  readonly events: readonly { kind: string; id: string; type: string; body: Uint8Array }[];
  readonly contents: readonly { event?: number; salted: Uint8Array }[];
}

export interface JobInHistory {
  readonly status: string;
  /** Text of its payload. */
  readonly payload: string;
}

const plain = { longs: Number, defaults: true } as const;

function decoded(bytes: Uint8Array): Decoded {
  return Commit.toObject(Commit.decode(bytes), { ...plain, bytes: Buffer, arrays: true }) as Decoded;
}

/** @param commits bytes by position. @throws Error if they are no chain. @returns jobs by id */
export function jobsIn(commits: ReadonlyMap<number, Uint8Array>): Map<string, JobInHistory> {
  const jobs = new Map<string, JobInHistory>();
  let before = 0;
  let hash = '';
  for (const [seq, bytes] of [...commits].sort(([a], [b]) => a - b)) {
    const { prevSeq, prevHash, events, contents } = decoded(bytes);
    if (prevSeq !== before || Buffer.from(prevHash).toString('hex') !== hash) throw new Error(`no chain at ${seq}`);
    [before, hash] = [seq, hashOf(bytes)];
    for (const [index, { kind, id, type, body }] of events.entries()) {
      if (kind !== 'job') continue;
      const { status } = root.lookupType(`reprise.job.v1.${type}`).decode(body) as unknown as { status: string };
      const salted = contents.find(({ event = 0 }) => event === index)?.salted ?? new Uint8Array(SALT_BYTES);
      const payload = jobs.get(id)?.payload ?? Buffer.from(salted).subarray(SALT_BYTES).toString();
      jobs.set(id, { status: status || jobs.get(id)!.status, payload });
    }
  }
  return jobs;
}

/** Of what is before the first field 11 of a commit: it is walked by hand. */
function hashOf(bytes: Uint8Array): string {
  const reader = protobuf.Reader.create(bytes);
  let end = 0;
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (tag >>> 3 === 11) break;
    reader.skipType(tag & 7);
    end = reader.pos;
  }
  return createHash('sha256').update(bytes.subarray(0, end)).digest('hex');
}
