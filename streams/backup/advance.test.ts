import t from 'tap';
import { openArchive } from '../archive/archive.js';
import { JOURNAL, journalOf } from '../archive/conformance/commits.js';
import { MemoryStore } from '../archive/conformance/stores.js';
import type { Stored } from '../journal.js';
import { MemoryStream } from '../memory.js';
import { advance, commitsOf } from './advance.js';

const { namespace, partition, journalId } = JOURNAL;
const event = { actor: 1, content: new Uint8Array(20) };
const plain = { gap: 0, version: 2, events: [event], removed: [], beside: undefined } as const;
const commits = journalOf(Array.from({ length: 12 }, () => plain));
const last = commits.at(-1)!.seq;

const opened = (store: MemoryStore) => openArchive(store, namespace, partition, journalId);

async function archive(store: MemoryStore, some: readonly Stored[]): Promise<void> {
  const archiving = await opened(store);
  const writer = archiving.next();
  for (const commit of some) await writer.add(commit);
  await archiving.write(await writer.finish());
}

for (const where of ['the place of the backup', 'another place']) {
  t.test(`given a journal that is truncated into ${where} meanwhile, then the backup has all commits`, async (t) => {
    const target = new MemoryStore();
    const origin = where === 'another place' ? new MemoryStore() : target;
    const stream = new MemoryStream(partition);
    for (const { bytes } of commits) stream.write(bytes);
    await archive(origin, commits.slice(0, 3));
    const backup = await opened(target);
    const source = commitsOf(await stream.open(), origin === target ? backup : await opened(origin));
    await archive(origin, commits.slice(3, 9));
    stream.truncate(commits[7]!.seq);
    await advance(backup, source, { untilSeq: last });
    const found: Stored[] = [];
    for await (const stored of backup.replay(1)) found.push(stored);
    t.strictSame(found.map(({ seq }) => seq), commits.map(({ seq }) => seq));
    t.equal(backup.head!.seq, last);
  });
}

t.test('given a journal that begins later than any archive reaches, then the backup says what is needed', async (t) => {
  const stream = new MemoryStream(partition);
  for (const { bytes } of commits) stream.write(bytes);
  stream.truncate(commits[5]!.seq);
  const backup = await opened(new MemoryStore());
  const source = commitsOf(await stream.open(), backup);
  await t.rejects(advance(backup, source, { untilSeq: last }), { code: 'NOT_FOUND', hint: /--archive/ });
});
