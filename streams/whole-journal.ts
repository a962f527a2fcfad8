/** Opens a journal with the archive behind it, for commands: the archive is found without being told. */
import type { Namespace, Partition } from '../protocols/ids.js';
import { ArchivePlace } from './archive/behind.js';
import { recordedLocation } from './archive/recorded.js';
import { connectNats } from './connect.js';
import { openJournal } from './jetstream.js';
import type { Journal } from './journal.js';
import { readingThrough } from './reading-through.js';

export interface WholeJournalOptions {
  readonly url: string;
  readonly ns: Namespace;
  readonly partition: Partition;
  /** Location of the archive; by default the one that brokers recorded. */
  readonly archive?: string | undefined;
}

export async function openWholeJournal({ url, ns, partition, archive }: WholeJournalOptions): Promise<Journal> {
  const place = new ArchivePlace(ns, async () => archive ?? (await recordedAt(url, ns)));
  const journal = await openJournal({ url, ns, partition });
  return readingThrough(journal, (of) => place.behind(of), () => place.close());
}

async function recordedAt(url: string, ns: Namespace): Promise<string | undefined> {
  const nc = await connectNats({ url, name: 'reprise archive', reconnect: false });
  try {
    return await recordedLocation(nc, ns);
  } finally {
    await nc.close();
  }
}
