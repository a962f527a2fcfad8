/** `reprise backup` */
import type { ArchiveStore } from '../../streams/archive/store.js';
import { openStore } from '../../streams/archive/location.js';
import { backUp } from '../../streams/backup/backup.js';
import type { BackupManifest } from '../../streams/backup/manifest.js';
import type { Where } from '../arguments.js';
import { locateForBroker } from '../locate.js';
import { version } from '../self.js';
import { note, paint, print } from '../terminal.js';
import { partitionsBar } from './progress.js';

export interface BackupFlags extends Where {
  readonly archive?: string;
  readonly withKeys?: true;
  readonly json?: true;
}

export async function runBackup(location: string, flags: BackupFlags): Promise<void> {
  const { url, namespace } = locateForBroker(flags);
  const store = await openStore(location);
  const archive = flags.archive === undefined ? undefined : await openStore(flags.archive);
  const bar = partitionsBar(flags.json === undefined);
  try {
    const manifest = await backUp({
      url, namespace, store, archive, withKeys: flags.withKeys === true, release: version(), nowMs: () => Date.now(),
      onProgress: (partition, seq, untilSeq) => bar.update(partition, seq, 1, untilSeq),
      warn: (message) => note(`${paint('yellow', 'warning:', process.stderr)} ${message}`),
    });
    bar.end();
    if (flags.json) print(JSON.stringify(summary(store, manifest)));
    else for (const line of linesOf(store, manifest)) print(line);
  } finally {
    bar.end();
    store.close();
    archive?.close();
  }
}

function summary({ location }: ArchiveStore, manifest: BackupManifest) {
  const { namespace, number, takenMs, release, partitions, keys } = manifest;
  return {
    location, namespace, number, takenMs, release, hasKeys: keys !== null,
    partitions: partitions.map(({ head, snapshot }, partition) => ({
      partition, seq: head?.seq ?? 0, hash: head?.hash ?? '', journalId: head?.journalId ?? '',
      snapshotSeq: snapshot?.manifest.seq ?? 0,
    })),
  };
}

function* linesOf(store: ArchiveStore, { namespace, number, partitions, keys }: BackupManifest): Generator<string> {
  yield `backup ${number} of ${namespace} in ${store.location}`;
  for (const [partition, { head, snapshot }] of partitions.entries()) {
    const reaches = head === null ? 'empty' : `up to position ${head.seq}, hash ${head.hash.slice(0, 16)}`;
    yield `  partition ${partition}: ${reaches}${snapshot ? `, snapshot at ${snapshot.manifest.seq}` : ''}`;
  }
  yield keys === null
    ? '  without keys: workers register again after a restore'
    : '  with keys: keep it as secret as the server';
}
