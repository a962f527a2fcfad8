/** Writes commits into the journal of a namespace that is being restored, each at the position that it had. */
import type { NatsConnection } from '@nats-io/nats-core';
import { headers } from '@nats-io/nats-core';
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { subjects } from '../../protocols/subjects.js';
import { appendedOf } from '../ack.js';
import { operating } from '../connect.js';
import type { Stored } from '../journal.js';

/** What waits for the server at a time. The fence keeps the order: behind one that is refused, all are. */
const MOST_UNDER_WAY = 64;
const MOST_BYTES_UNDER_WAY = 8 * 1024 * 1024;
const ACK_MS = 30_000;
/** In place of a message that was not ours: the positions of commits must not change. */
const FILLER = Buffer.from('a message that was not a commit was here');

export interface Writing {
  readonly nc: NatsConnection;
  readonly ns: Namespace;
  readonly partition: Partition;
  readonly writing: (what: string) => void;
  readonly onWritten?: (seq: number) => void;
}

export class JournalWriter {
  private readonly underWay: { readonly acked: Promise<number>; readonly bytes: number }[] = [];
  private bytes = 0;

  /** @param lastSeq the last position that the stream has */
  constructor(private readonly options: Writing, private lastSeq: number) {}

  /** A commit that is there already is not written again. @throws RepriseError if the server refuses it */
  async add({ seq, bytes }: Stored): Promise<void> {
    while (this.lastSeq + 1 < seq) await this.put(FILLER);
    if (this.lastSeq < seq) await this.put(bytes);
  }

  /** Resolves when everything is acknowledged. */
  async end(): Promise<void> {
    while (this.underWay.length > 0) await this.oldest();
  }

  private async put(bytes: Uint8Array): Promise<void> {
    const { partition, writing } = this.options;
    writing(`append ${this.lastSeq + 1} to ${partition}`);
    const acked = this.request(bytes, this.lastSeq);
    // Awaited later; until then a refusal must not be an unhandled one.
    acked.catch(() => undefined);
    this.underWay.push({ acked, bytes: bytes.length });
    this.bytes += bytes.length;
    this.lastSeq += 1;
    while (this.underWay.length >= MOST_UNDER_WAY || this.bytes > MOST_BYTES_UNDER_WAY) await this.oldest();
  }

  private async oldest(): Promise<void> {
    const { acked, bytes } = this.underWay.shift()!;
    this.bytes -= bytes;
    // First: an optional call does not evaluate its arguments if there is nothing to call.
    const seq = await acked;
    this.options.onWritten?.(seq);
  }

  private async request(bytes: Uint8Array, expectedSeq: number): Promise<number> {
    const { nc, ns, partition } = this.options;
    const fence = headers();
    fence.set('Nats-Expected-Last-Sequence', String(expectedSeq));
    const doing = `Writing position ${expectedSeq + 1} of partition ${partition} failed`;
    try {
      const reply = await nc.request(subjects.journal(ns, partition), bytes, { headers: fence, timeout: ACK_MS });
      const appended = appendedOf(reply);
      if (appended.kind === 'committed' && appended.seq === expectedSeq + 1) return appended.seq;
      const why = appended.kind === 'committed' ? `it was stored at ${appended.seq}` : appended.message;
      const isFull = appended.kind === 'refused' && appended.why === 'full';
      throw new RepriseError(isFull ? 'JOURNAL_FULL' : 'SERVER_FAILED', `${doing}: ${why}.`);
    } catch (error) {
      throw operating(error, doing);
    }
  }
}
