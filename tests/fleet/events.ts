/** All events of a journal in their order, read as a client in another library does. */
import type { Body, Stranger } from '../stranger.js';

export interface JournalEvent {
  readonly seq: number;
  readonly nowMs: number;
  readonly kind: string;
  readonly id: string;
  readonly type: string;
  readonly body: Body;
}

const PAGE = 200;

export async function readEvents(client: Stranger, partition: number): Promise<JournalEvent[]> {
  const stream = `REPRISE_${client.ns}_JOURNAL_${partition}`;
  const manager = await client.reader.jetstreamManager({ checkAPI: false });
  const last = (await manager.streams.info(stream)).state.last_seq;
  const events: JournalEvent[] = [];
  let prevSeq = 0;
  for (let from = 1; from <= last; from += PAGE) {
    const seqs = Array.from({ length: Math.min(PAGE, last - from + 1) }, (_, nth) => from + nth);
    const page = await Promise.all(seqs.map((seq) => manager.streams.getMessage(stream, { seq })));
    for (const [nth, { data }] of page.entries()) {
      const commit = client.decode('journal.v1.Commit', data);
      if (commit['prevSeq'] !== prevSeq) throw new Error(`commit ${from + nth} does not follow ${prevSeq}`);
      prevSeq = from + nth;
      const nowMs = commit['nowMs'] as number;
      for (const event of commit['events'] as Body[]) events.push(eventOf(client, prevSeq, nowMs, event));
    }
  }
  return events;
}

function eventOf(client: Stranger, seq: number, nowMs: number, event: Body): JournalEvent {
  const [kind, id, type] = [event['kind'], event['id'], event['type']] as [string, string, string];
  const isKnown = ['job', 'worker', 'queue'].includes(kind);
  const body = isKnown ? client.decode(`${kind}.v1.${type}`, event['body'] as Buffer) : {};
  return { seq, nowMs, kind, id, type, body };
}
