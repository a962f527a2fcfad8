/**
 * Reads what became of jobs out of the raw journal, independently of the broker: nothing of actors/ or projections/ is
 * used here, so that it can contradict them.
 */
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { job, journal } from '../../protocols/messages.js';
import { Chain } from '../../streams/chain.js';
import { checkContents } from '../../streams/contents.js';
import { openWholeJournal } from '../../streams/whole-journal.js';

export interface Recorded {
  readonly payload: unknown;
  /** Events that end a job. There must be one. */
  finals: number;
  completed: boolean;
  result: unknown;
}

const FINAL = new Set(['JobCompleted', 'JobFailed', 'JobCancelled', 'JobExpired', 'JobUnworkable']);

export async function readJournal(url: string, ns: Namespace, partition: Partition): Promise<Map<string, Recorded>> {
  const recorded = new Map<string, Recorded>();
  const source = await openWholeJournal({ url, ns, partition });
  const chain = new Chain(partition);
  try {
    for await (const stored of source.replay(1)) {
      const accepted = chain.accept(stored);
      if (accepted.kind !== 'commit') continue;
      const { changed } = checkContents(accepted.encoded);
      if (changed !== undefined) throw new RepriseError('JOURNAL_BROKEN', `The commit at ${stored.seq}: ${changed}.`);
      for (const event of accepted.commit.events) if (event.kind === 'job') record(recorded, event as journal.Event);
    }
  } finally {
    await source.close();
  }
  return recorded;
}

function record(recorded: Map<string, Recorded>, { id, type, body }: journal.Event): void {
  if (type === 'JobSubmitted') {
    const payload = json(job.JobSubmitted.decode(body).payload);
    recorded.set(id, { payload, finals: 0, completed: false, result: undefined });
    return;
  }
  const known = recorded.get(id);
  if (known === undefined || !FINAL.has(type)) return;
  known.finals += 1;
  if (type !== 'JobCompleted') return;
  known.completed = true;
  known.result = json(job.JobCompleted.decode(body).result);
}

function json(bytes: Uint8Array | null | undefined): unknown {
  try {
    return JSON.parse(Buffer.from(bytes ?? []).toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
