/** Where the archive of a namespace is. */
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace } from '../../protocols/ids.js';
import { openStore } from '../../streams/archive/location.js';
import type { ArchiveStore } from '../../streams/archive/store.js';
import type { DevFile } from '../dev-file.js';
import { archiveFromEnvironment, archiveOf, locate } from '../locate.js';

export interface ArchiveFlags {
  readonly archive?: string;
  readonly namespace?: string;
  readonly json?: true;
}

/** @throws RepriseError USAGE */
function archiveLocation({ archive }: ArchiveFlags, dev: DevFile | undefined): string {
  const location = archive ?? archiveFromEnvironment() ?? (dev?.dataDir && archiveOf(dev.dataDir));
  if (location !== undefined) return location;
  const hint =
    'Give --archive, or REPRISE_ARCHIVE: a folder, or s3://bucket/prefix?endpoint=https://…&region=…. ' +
    'In the folder of a running `reprise dev` its archive is found.';
  throw new RepriseError('USAGE', 'It is not known where the archive is.', { hint });
}

export interface OpenedArchive {
  readonly store: ArchiveStore;
  readonly namespace: Namespace;
}

export async function withArchive<T>(flags: ArchiveFlags, use: (opened: OpenedArchive) => Promise<T>): Promise<T> {
  const { namespace, dev } = locate(flags);
  const store = await openStore(archiveLocation(flags, dev));
  try {
    return await use({ store, namespace });
  } finally {
    store.close();
  }
}
