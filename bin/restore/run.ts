/** `reprise restore` */
import { userInfo } from 'node:os';
import { RepriseError } from '../../protocols/errors.js';
import { parseNamespace, type Namespace } from '../../protocols/ids.js';
import { openStore } from '../../streams/archive/location.js';
import type { ArchiveStore } from '../../streams/archive/store.js';
import { namespacesIn } from '../../streams/backup/manifest.js';
import { restore, type Restored } from '../../streams/restore/restore.js';
import type { To } from '../../streams/restore/to.js';
import type { Where } from '../arguments.js';
import { partitionsBar } from '../backup/progress.js';
import { locateForBroker, namespaceOf } from '../locate.js';
import { version } from '../self.js';
import { note, paint, print } from '../terminal.js';

export interface RestoreFlags extends Where {
  readonly to?: To;
  readonly full?: true;
  readonly archive?: string;
  readonly from?: string;
  readonly startOver?: true;
  readonly replicas: number;
  readonly reason?: string;
  readonly json?: true;
}

export async function runRestore(location: string, flags: RestoreFlags): Promise<void> {
  const { url, namespace } = locateForBroker(flags);
  const store = await openStore(location);
  const archive = flags.archive === undefined ? undefined : await openStore(flags.archive);
  const bar = partitionsBar(flags.json === undefined);
  const ranges = new Map<number, readonly [firstSeq: number, untilSeq: number]>();
  try {
    const from = flags.from === undefined ? await fromIn(store, namespace) : namespaceOf(flags.from);
    const restored = await restore({
      url, namespace, store, archive, from, to: flags.to ?? { kind: 'backup' }, isFull: flags.full === true,
      replicas: flags.replicas, startOver: flags.startOver === true, reason: flags.reason ?? `by ${userName()}`,
      release: version(), nowMs: () => Date.now(),
      onPlan: ({ partitions }) => {
        for (const { partition, content } of partitions) {
          if (content) ranges.set(partition, [content.firstSeq, content.head.seq + 1]);
        }
      },
      onProgress: (partition, seq) => bar.update(partition, seq, ...(ranges.get(partition) ?? [1, seq])),
      warn: (message) => note(`${paint('yellow', 'warning:', process.stderr)} ${message}`),
    });
    bar.end();
    if (flags.json) print(JSON.stringify({ namespace, ...restored, archive: restored.archive ?? null }));
    else for (const line of linesOf(namespace, restored)) print(line);
  } finally {
    bar.end();
    store.close();
    archive?.close();
  }
}

/** The namespace itself, or the only one that the store has backups of. */
async function fromIn(store: ArchiveStore, namespace: Namespace): Promise<Namespace> {
  const found = await namespacesIn(store);
  const only = found.length === 1 ? parseNamespace(found[0]!) : undefined;
  if (found.includes(namespace) || found.length === 0) return namespace;
  if (only !== undefined) return only;
  const message = `There are backups of ${found.join(', ')} in ${store.location}, and none of ${namespace}.`;
  throw new RepriseError('USAGE', message, { hint: 'Say which one with --from <namespace>.' });
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'an unknown user';
  }
}

function* linesOf(namespace: Namespace, { backup, partitions, archive, hasKeys }: Restored): Generator<string> {
  yield `restored ${namespace} from backup ${backup}`;
  for (const { partition, firstSeq, seq, hash, snapshotSeq } of partitions) {
    const snapshot = snapshotSeq === undefined ? '' : `, snapshot at ${snapshotSeq}`;
    yield `  partition ${partition}: up to position ${seq}, hash ${hash.slice(0, 16)}, from ${firstSeq} on${snapshot}`;
  }
  if (archive !== undefined) yield `  commits before are in the archive: start brokers with it: ${archive}`;
  if (!hasKeys) yield '  without keys: workers register again';
}
