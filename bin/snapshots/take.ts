/** `reprise snapshots take` */
import { setTimeout as sleep } from 'node:timers/promises';
import { connectClient, type Client } from '../../sdk/client.js';
import { errorOf } from '../../sdk/replies.js';
import { takeSnapshots, type TakenSnapshot } from '../../sdk/snapshots.js';
import { messageOf, RepriseError } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import { printError } from '../error-exit.js';
import { sizeText } from '../figures.js';
import { principal } from '../principal.js';
import { Progress } from '../progress.js';
import { onServer } from '../server.js';
import { paint, print } from '../terminal.js';
import { partitionsOf, type SnapshotFlags } from './flags.js';

/** A leader that was killed is followed by another within this time. */
const GIVE_UP_MS = 10_000;
const SHOW_EVERY_MS = 100;

type Result = { readonly partition: Partition; readonly taken: TakenSnapshot }
  | { readonly partition: Partition; readonly error: RepriseError };

export async function runTake(flags: SnapshotFlags): Promise<void> {
  const results = await onServer(flags, 'snapshots', async (at) => {
    const partitions = await partitionsOf(at, flags.partition);
    const options = { url: at.url, namespace: at.namespace, giveUpMs: GIVE_UP_MS, principal: principal() };
    const client = await connectClient({ ...options, name: 'reprise snapshots' });
    try {
      return await takeAll(client, partitions, flags.json ? () => undefined : show);
    } finally {
      await client.close();
    }
  });
  const ok = results.every((result) => 'taken' in result);
  if (flags.json) print(JSON.stringify({ ok, snapshots: results.map(jsonOf) }));
  if (!ok) process.exitCode = 1;
}

/** Each partition by a request of its own, so that each is shown when it is done. */
async function takeAll(
  client: Client, partitions: readonly Partition[], done: (result: Result) => void,
): Promise<Result[]> {
  const progress = new Progress();
  const waiting = new Set(partitions);
  const all = Promise.all(partitions.map(async (partition) => {
    const result = await takeOne(client, partition);
    waiting.delete(partition);
    progress.clear();
    done(result);
    return result;
  }));
  while (waiting.size > 0) {
    progress.show(`waiting for the leaders of partitions ${[...waiting].join(', ')}`);
    await Promise.race([all, sleep(SHOW_EVERY_MS)]);
  }
  progress.clear();
  return all;
}

async function takeOne(client: Client, partition: Partition): Promise<Result> {
  try {
    const [taken] = await takeSnapshots(client, [partition]);
    if (taken === undefined) throw new RepriseError('SNAPSHOT_FAILED', 'The reply of the leader has no snapshot.');
    return taken.error ? { partition, error: errorOf(taken.error) } : { partition, taken };
  } catch (error) {
    if (error instanceof RepriseError) return { partition, error };
    return { partition, error: new RepriseError('SNAPSHOT_FAILED', messageOf(error)) };
  }
}

function show(result: Result): void {
  if ('error' in result) {
    const { code, message, hint } = result.error;
    return printError(`partition ${result.partition}: ${message} (${code})`, hint);
  }
  const { seq, bytes } = result.taken;
  print(`${paint('green', 'ok')}  partition ${result.partition}: position ${seq}, ${sizeText(bytes)}, verified`);
}

function jsonOf(result: Result): object {
  if ('taken' in result) {
    const { error: _, ...taken } = result.taken;
    return { ...taken, verified: true };
  }
  const { partition, error: { code, message, hint, retryable } } = result;
  return { partition, error: { code, message, hint, retryable } };
}
