/** Whether every partition has a leader, and if not, why: what its clients are answered. */
import type { NatsConnection } from '@nats-io/nats-core';
import type { Namespace } from '../../protocols/ids.js';
import { subjects } from '../../protocols/subjects.js';
import { fail, ok, type Finding } from './finding.js';

const ANSWER_WITHIN_MS = 2_000;
/** A job that cannot exist: ids are drawn from 80 bits. Only a leader knows that there is none. */
const NO_JOB = '0000000000000000';
const LEADS = 'NOT_FOUND';

interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export async function leaderFindings(nc: NatsConnection, ns: Namespace, partitions: number): Promise<Finding[]> {
  const refusals = await Promise.all(Array.from({ length: partitions }, (_, n) => ask(nc, ns, n)));
  const failed = refusals.flatMap((refusal, n) => (refusal.code === LEADS ? [] : [fail(`partition ${n}`, `${refusal.code}: ${refusal.message}`, refusal.hint)]));
  return failed.length > 0 ? failed : [ok('leaders', `${partitions} of ${partitions} partitions have one`)];
}

async function ask(nc: NatsConnection, ns: Namespace, partition: number): Promise<Refusal> {
  try {
    const asked = JSON.stringify({ jobId: `${partition}-${NO_JOB}` });
    return (await nc.request(subjects.command(ns, { noun: 'job', verb: 'get' }), asked, { timeout: ANSWER_WITHIN_MS })).json<Refusal>();
  } catch {
    return { code: 'NOT_LEADER', message: `nobody answered for it within ${ANSWER_WITHIN_MS} ms`, hint: 'A broker may be taking it over; look again, and at the logs of the brokers.' };
  }
}
