/** `reprise jobs retry`, `reprise jobs discard` and `reprise jobs reprioritize` */
import { discardJob, reprioritizeJob, retryJob } from '../../sdk/jobs.js';
import type { JobReply } from '../../sdk/client.js';
import { print } from '../terminal.js';
import { targetOf, withClient, type JobFlags } from './client.js';
import { readPayload } from './payload.js';
import { jsonOf, statusText } from './show-values.js';

export interface RetryFlags extends JobFlags {
  readonly payload?: string;
}

export interface DiscardFlags extends JobFlags {
  readonly reason?: string;
}

export async function runRetry(id: string | undefined, flags: RetryFlags): Promise<void> {
  const target = targetOf(id, flags);
  const content = flags.payload === undefined ? {} : await readPayload(flags.payload);
  await withClient(flags, async (client) => show(await retryJob(client, target, content), flags));
}

export async function runDiscard(id: string | undefined, flags: DiscardFlags): Promise<void> {
  const target = targetOf(id, flags);
  const { reason } = flags;
  await withClient(flags, async (client) =>
    show(await discardJob(client, target, reason === undefined ? {} : { reason }), flags));
}

export interface ReprioritizeFlags extends JobFlags {
  readonly priority: number;
}

export async function runReprioritize(id: string | undefined, flags: ReprioritizeFlags): Promise<void> {
  const target = targetOf(id, flags);
  await withClient(flags, async (client) => show(await reprioritizeJob(client, target, flags.priority), flags));
}

function show(reply: JobReply, { json }: JobFlags): void {
  print(json ? jsonOf(reply) : `${reply.jobId} ${statusText(reply.status)}`);
}
