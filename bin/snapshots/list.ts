/** `reprise snapshots ls` */
import { Objects } from '../../streams/snapshots/objects.js';
import { SnapshotStore } from '../../streams/snapshots/store.js';
import { onServer } from '../server.js';
import { note, print } from '../terminal.js';
import { partitionsOf, type SnapshotFlags } from './flags.js';
import { snapshotJson, tableOf } from './lines.js';

export async function runList(flags: SnapshotFlags): Promise<void> {
  const snapshots = await onServer(flags, 'snapshots', async (at) => {
    const store = new SnapshotStore(new Objects(at.nc, at.namespace));
    const partitions = await partitionsOf(at, flags.partition);
    return (await Promise.all(partitions.map((partition) => store.list(partition)))).flat();
  });
  if (flags.json) return print(JSON.stringify({ snapshots: snapshots.map(snapshotJson) }));
  if (snapshots.length === 0) return note(NONE);
  for (const line of tableOf(snapshots, Date.now())) print(line);
}

export const NONE =
  'There is no snapshot yet. Leaders take one when their journal has grown; `reprise snapshots take` takes one now.';
