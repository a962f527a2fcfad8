/**
 * Reads the raw journals as a client in another library does, and folds every job's history: the chain of hashes is
 * checked, and each event must follow from the status before. Shares no code with what wrote it.
 */
import { createHash } from 'node:crypto';
import protobuf from 'protobufjs';
import type { Body, Stranger } from './stranger.js';

const FROM: Readonly<Record<string, readonly (string | undefined)[]>> = {
  JobSubmitted: [undefined], JobDelayed: ['ready'], JobBecameReady: ['scheduled', 'retrying'],
  JobLeased: ['ready'], JobCompleted: ['running'],
  JobRetryScheduled: ['running'], JobReclaimed: ['running'], JobFailed: ['running'], JobCancelRequested: ['running'],
  JobCancelled: ['ready', 'scheduled', 'retrying', 'running'],
  JobExpired: ['ready', 'scheduled', 'retrying', 'running'], JobUnworkable: ['ready'],
  JobRetried: ['failed', 'cancelled', 'expired', 'unworkable'], JobDiscarded: ['failed'],
  JobReprioritized: ['ready', 'scheduled', 'retrying', 'running'],
};
export const FINAL: readonly string[] = ['completed', 'failed', 'cancelled', 'expired', 'discarded', 'unworkable'];

export interface JobEvent {
  readonly type: string;
  readonly seq: number;
  readonly body: Body;
}
export interface History {
  status: string | undefined;
  readonly events: JobEvent[];
  readonly commandId: string;
}
export interface Histories {
  readonly jobs: Map<string, History>;
  readonly complaints: string[];
  readonly commits: number;
  readonly foreign: number;
  readonly epochs: number;
}

const PAGE = 200;

export async function readHistories(client: Stranger, partitions: number): Promise<Histories> {
  const jobs = new Map<string, History>();
  const complaints: string[] = [];
  const total = { commits: 0, foreign: 0, epochs: 0 };
  for (let n = 0; n < partitions; n += 1) {
    const reader = new Reader(client, n, jobs, complaints);
    await reader.read();
    total.commits += reader.commits;
    total.foreign += reader.foreign;
    total.epochs += reader.epoch;
  }
  return { jobs, complaints, ...total };
}

/** As journal.proto says: the content is appended to the body as a field. */
function wholeBody(commit: Body, index: number): Buffer {
  const event = (commit['events'] as Body[])[index]!;
  const beside = (commit['contents'] as Body[]).find((each) => Number(each['event'] ?? 0) === index);
  if (beside === undefined) return event['body'] as Buffer;
  const content = (beside['salted'] as Buffer).subarray(16);
  const field = Number((event['content'] as Body)['field']);
  const appended = protobuf.Writer.create().uint32(field * 8 + 2).bytes(content).finish();
  return Buffer.concat([event['body'] as Buffer, appended]);
}

class Reader {
  commits = 0;
  foreign = 0;
  epoch = 0;
  private prevSeq = 0;
  private prevHash = Buffer.alloc(0);
  private journalId = '';

  constructor(
    private readonly client: Stranger,
    private readonly partition: number,
    private readonly jobs: Map<string, History>,
    private readonly complaints: string[],
  ) {}

  async read(): Promise<void> {
    const { client } = this;
    const stream = `REPRISE_${client.ns}_JOURNAL_${this.partition}`;
    const manager = await client.reader.jetstreamManager({ checkAPI: false });
    const last = (await manager.streams.info(stream)).state.last_seq;
    for (let from = 1; from <= last; from += PAGE) {
      const seqs = Array.from({ length: Math.min(PAGE, last - from + 1) }, (_, n) => from + n);
      const page = await Promise.all(seqs.map((seq) => manager.streams.getMessage(stream, { seq })));
      for (const [n, message] of page.entries()) this.accept(from + n, message.data);
    }
  }

  private accept(seq: number, bytes: Uint8Array): void {
    const commit = this.decode(bytes);
    if (commit === undefined || commit['prevSeq'] !== this.prevSeq) {
      this.foreign += 1;
      return;
    }
    if (this.journalId !== '' && commit['journalId'] !== this.journalId) this.complain(seq, 'another journal id');
    const follows = this.prevHash.equals(commit['prevHash'] as Buffer);
    if (!follows) this.complain(seq, 'the hash of the commit before does not match');
    if ((commit['epoch'] as number) < this.epoch) this.complain(seq, 'an older epoch');
    this.journalId = commit['journalId'] as string;
    this.epoch = commit['epoch'] as number;
    this.prevSeq = seq;
    this.prevHash = createHash('sha256').update(hashedPart(commit, bytes)).digest();
    this.checkContents(seq, commit);
    this.commits += 1;
    for (const [index, event] of (commit['events'] as Body[]).entries()) {
      if (event['kind'] === 'job') this.fold(seq, { ...event, body: wholeBody(commit, index) });
    }
  }

  /** A content may be missing. One that is there must be what was hashed. */
  private checkContents(seq: number, commit: Body): void {
    for (const { event = 0, salted } of commit['contents'] as Body[]) {
      const { hash, size } = ((commit['events'] as Body[])[event as number]?.['content'] ?? {}) as Body;
      const digest = createHash('sha256').update(salted as Buffer).digest();
      const which = `the content of event ${String(event)}`;
      if (!digest.equals((hash ?? digest.subarray(1)) as Buffer)) this.complain(seq, `${which} was changed`);
      if ((salted as Buffer).length !== Number(size) + 16) this.complain(seq, `${which} has another size`);
    }
  }

  private decode(bytes: Uint8Array): Body | undefined {
    try {
      const commit = this.client.decode('journal.v1.Commit', bytes);
      const isKnown = [1, 2].includes(commit['version'] as number);
      return isKnown && commit['partition'] === this.partition ? commit : undefined;
    } catch {
      return undefined;
    }
  }

  private fold(seq: number, { id, type, body: bytes, cause }: Body): void {
    const body = this.client.decode(`job.v1.${String(type)}`, bytes as Buffer);
    let job = this.jobs.get(id as string);
    const follows = FROM[type as string]?.includes(job?.status);
    if (!follows) this.complain(seq, `${String(type)} of ${String(id)} after ${String(job?.status)}`);
    if (job === undefined) {
      job = { status: undefined, events: [], commandId: String((cause as Body)['commandId']) };
      this.jobs.set(id as string, job);
    }
    job.status = body['status'] as string;
    job.events.push({ type: type as string, seq, body });
  }

  private complain(seq: number, what: string): void {
    this.complaints.push(`partition ${this.partition}, position ${seq}: ${what}`);
  }
}

/** Of version 2: what comes before the first field 11, which is what the contents make at the end of the message. */
function hashedPart(commit: Body, bytes: Uint8Array): Uint8Array {
  if (commit['version'] === 1) return bytes;
  const lengthOf = (size: number): number => (size < 128 ? 1 : size < 16_384 ? 2 : 3);
  const beside = (commit['contents'] as Body[]).map(({ event, salted }) => {
    const { length } = salted as Buffer;
    const size = (event === 0 ? 0 : 1 + lengthOf(event as number)) + 1 + lengthOf(length) + length;
    return 1 + lengthOf(size) + size;
  });
  return bytes.subarray(0, bytes.length - beside.reduce((sum, size) => sum + size, 0));
}
