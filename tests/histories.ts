/**
 * Reads the raw journals as a stranger and folds every job's history by itself: the chain of hashes is checked, and each
 * event must follow from the status before. Shares no code with what wrote it.
 */
import { createHash } from 'node:crypto';
import type { Body, Stranger } from './stranger.js';

const FROM: Readonly<Record<string, readonly (string | undefined)[]>> = {
  JobSubmitted: [undefined], JobDelayed: ['ready'], JobBecameReady: ['scheduled', 'retrying'], JobLeased: ['ready'], JobCompleted: ['running'],
  JobRetryScheduled: ['running'], JobReclaimed: ['running'], JobFailed: ['running'], JobCancelRequested: ['running'],
  JobCancelled: ['ready', 'scheduled', 'retrying', 'running'], JobExpired: ['ready', 'scheduled', 'retrying', 'running'],
};
export const FINAL: readonly string[] = ['completed', 'failed', 'cancelled', 'expired'];

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
    if (!this.prevHash.equals(commit['prevHash'] as Buffer)) this.complain(seq, 'the hash of the commit before does not match');
    if ((commit['epoch'] as number) < this.epoch) this.complain(seq, 'an older epoch');
    this.journalId = commit['journalId'] as string;
    this.epoch = commit['epoch'] as number;
    this.prevSeq = seq;
    this.prevHash = createHash('sha256').update(bytes).digest();
    this.commits += 1;
    for (const event of commit['events'] as Body[]) if (event['kind'] === 'job') this.fold(seq, event);
  }

  private decode(bytes: Uint8Array): Body | undefined {
    try {
      const commit = this.client.decode('journal.v1.Commit', bytes);
      return commit['version'] === 1 && commit['partition'] === this.partition ? commit : undefined;
    } catch {
      return undefined;
    }
  }

  private fold(seq: number, { id, type, body: bytes, cause }: Body): void {
    const body = this.client.decode(`job.v1.${String(type)}`, bytes as Buffer);
    let job = this.jobs.get(id as string);
    if (!FROM[type as string]?.includes(job?.status)) this.complain(seq, `${String(type)} of ${String(id)} after ${String(job?.status)}`);
    if (job === undefined) this.jobs.set(id as string, (job = { status: undefined, events: [], commandId: String((cause as Body)['commandId']) }));
    job.status = body['status'] as string;
    job.events.push({ type: type as string, seq, body });
  }

  private complain(seq: number, what: string): void {
    this.complaints.push(`partition ${this.partition}, position ${seq}: ${what}`);
  }
}
