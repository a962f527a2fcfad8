/** Where the archive of a namespace is. */
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace } from '../../protocols/ids.js';
import { openStore } from '../../streams/archive/location.js';
import type { ArchiveStore } from '../../streams/archive/store.js';
import { namespaceOf } from '../locate.js';

export interface ArchiveFlags {
  readonly archive?: string;
  readonly namespace?: string;
  readonly json?: true;
}

/** @throws RepriseError USAGE */
export async function archiveLocation({ archive }: ArchiveFlags): Promise<string> {
  if (archive !== undefined) return archive;
  const hint = 'Give --archive: a folder, or s3://bucket/prefix?endpoint=https://…&region=….';
  throw new RepriseError('USAGE', 'It is not known where the archive is.', { hint });
}

export interface OpenedArchive {
  readonly store: ArchiveStore;
  readonly namespace: Namespace;
}

export async function withArchive<T>(flags: ArchiveFlags, use: (opened: OpenedArchive) => Promise<T>): Promise<T> {
  const namespace = namespaceOf(flags.namespace ?? (process.env['REPRISE_NAMESPACE'] || undefined));
  const store = await openStore(await archiveLocation(flags));
  try {
    return await use({ store, namespace });
  } finally {
    store.close();
  }
}
