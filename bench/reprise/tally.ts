/** Counts completions in the raw journal, without the code that wrote it. */
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { parseNamespace, parsePartition, type Namespace, type Partition } from '../../protocols/ids.js';
import { journal } from '../../protocols/messages.js';
import { streams } from '../../protocols/subjects.js';
import { connectNats } from '../../streams/connect.js';
import { readStream } from '../../streams/ordered.js';
import type { Completion } from '../contender.js';
import type { Scope } from '../processes/scope.js';
import { NAMESPACE } from './reprise.calls.js';

export const namespace = parseNamespace(NAMESPACE) as Namespace;
export const partition = parsePartition(0) as Partition;

export class Tally {
  private readonly stream = streams.journal(namespace, partition);
  private readTo = 0;
  private sessions = new Set<string>();
  private completed = new Set<string>();
  /** The positions of the first and the last completion, and how many completions are in the first commit. */
  private firstSeq = 0;
  private lastSeq = 0;
  private atFirst = 0;

  private constructor(
    private readonly connection: NatsConnection,
    private readonly manager: JetStreamManager,
  ) {}

  static async open(url: string, scope: Scope): Promise<Tally> {
    const connection = await connectNats({ url, name: 'bench tally', reconnect: false });
    scope.add(() => connection.close());
    return new Tally(connection, await jetstreamManager(connection, { checkAPI: false }));
  }

  /** The journal's last position; a cheap request. */
  async end(): Promise<number> {
    return (await this.manager.streams.info(this.stream)).state.last_seq;
  }

  /** Ignores what is in the journal up to now. */
  async mark(): Promise<void> {
    this.readTo = await this.end();
    this.completed = new Set();
    this.sessions = new Set();
    [this.firstSeq, this.lastSeq, this.atFirst] = [0, 0, 0];
  }

  async registered(): Promise<number> {
    await this.read();
    return this.sessions.size;
  }

  async completion(jobs: number): Promise<Completion | undefined> {
    await this.read();
    if (this.completed.size < jobs) return undefined;
    if (this.completed.size > jobs) throw new Error(`Reprise completed ${this.completed.size} jobs of ${jobs}.`);
    const [firstMs, lastMs] = await Promise.all([this.storedMs(this.firstSeq), this.storedMs(this.lastSeq)]);
    return { firstMs, lastMs, atFirst: this.atFirst };
  }

  private async read(): Promise<void> {
    const untilSeq = await this.end();
    const range = { stream: this.stream, fromSeq: this.readTo + 1, untilSeq };
    for await (const { seq, bytes } of readStream(this.connection, range)) {
      for (const event of journal.Commit.decode(bytes).events ?? []) this.count(event, seq);
      this.readTo = seq;
    }
  }

  private count(event: journal.Event.$Properties, seq: number): void {
    const [type, id] = [event.type ?? '', event.id ?? ''];
    if (type === 'WorkerRegistered') this.sessions.add(id);
    if (type !== 'JobCompleted') return;
    if (this.completed.has(id)) throw new Error(`Job ${id} was completed twice.`);
    this.completed.add(id);
    this.firstSeq ||= seq;
    this.lastSeq = seq;
    if (seq === this.firstSeq) this.atFirst += 1;
  }

  /** When the server stored the commit. */
  private async storedMs(seq: number): Promise<number> {
    const message = await this.manager.streams.getMessage(this.stream, { seq });
    if (message === null) throw new Error(`The journal has no position ${seq}.`);
    return message.time.getTime();
  }
}
