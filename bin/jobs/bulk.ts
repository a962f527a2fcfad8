/** `reprise jobs bulk`: one command to all jobs that match, after saying how many they are. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client } from '../../sdk/client.js';
import { goBulk, showBulk, startBulk, stopBulk, type Action, type Bulk, type BulkStatus } from '../../sdk/bulk.js';
import type { Where } from '../arguments.js';
import { note, print } from '../terminal.js';
import { withClient } from './client.js';

export interface BulkFlags extends Where {
  readonly rate?: number;
  readonly priority?: number;
  readonly reason?: string;
  readonly yes?: true;
  readonly json?: true;
}

const ASK_MS = 200;

/** Without --yes the jobs are counted, and nothing is changed. */
export async function runBulk(action: Action, filter: readonly string[], flags: BulkFlags): Promise<void> {
  const { rate, priority, reason, yes } = flags;
  await withClient(flags, async (client) => {
    const { bulkId } = await startBulk(client, action, filter.join(' '), {
      hold: true, ...(rate !== undefined && { perSecond: rate }), ...(priority !== undefined && { priority }),
      ...(reason !== undefined && { reason }),
    });
    const counted = await until(client, bulkId, (status) => status !== 'collecting');
    if (!flags.json) note(`${sum(counted, 'members')} jobs match ${counted.filter || 'everything'}.`);
    if (!yes) {
      await stopBulk(client, bulkId);
      if (!flags.json) note(`Nothing was changed. With --yes they are changed: ${action}.`);
      return show(counted, flags);
    }
    await goBulk(client, bulkId);
    show(await until(client, bulkId, (status) => status === 'done' || status === 'stopped'), flags);
  });
}

export async function runStop(bulkId: string, flags: BulkFlags): Promise<void> {
  await withClient(flags, async (client) => show(await stopBulk(client, bulkId), flags));
}

async function until(client: Client, bulkId: string, met: (status: BulkStatus) => boolean): Promise<Bulk> {
  for (;;) {
    const bulk = await showBulk(client, bulkId);
    if (bulk.parts.every(({ status }) => met(status))) return bulk;
    await sleep(ASK_MS);
  }
}

const sum = ({ parts }: Bulk, of: 'members' | 'acted' | 'skipped'): number =>
  parts.reduce((total, part) => total + part[of], 0);

function show(bulk: Bulk, { json }: BulkFlags): void {
  if (json) return print(JSON.stringify(bulk));
  const [members, acted, skipped] = (['members', 'acted', 'skipped'] as const).map((of) => sum(bulk, of));
  print(`${bulk.bulkId} ${bulk.action}: ${members} jobs, ${acted} changed, ${skipped} skipped`);
}
