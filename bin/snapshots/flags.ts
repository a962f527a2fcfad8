import { partitionsOn } from '../../audit/server.js';
import { RepriseError } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import type { Where } from '../arguments.js';
import type { OnServer } from '../server.js';

export interface SnapshotFlags extends Where {
  readonly partition?: number;
  readonly json?: true;
}

export interface VerifyFlags extends SnapshotFlags {
  readonly fold?: true;
}

/** The one that is named, or all. @throws RepriseError NOT_FOUND if there is no such partition or namespace */
export async function partitionsOf({ nc, namespace }: OnServer, wanted: number | undefined): Promise<Partition[]> {
  const partitions = await partitionsOn(nc, namespace);
  if (wanted === undefined) return partitions;
  const found = partitions.find((each) => each === wanted);
  if (found !== undefined) return [found];
  const hint = `Leave out --partition, or give one from 0 to ${partitions.length - 1}.`;
  throw new RepriseError('NOT_FOUND', `The namespace ${namespace} has no partition ${wanted}.`, { hint });
}
