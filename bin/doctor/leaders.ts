/** Checks that every partition has a leader, and if not, shows the error that its clients get. */
import type { NatsConnection } from '@nats-io/nats-core';
import type { Namespace } from '../../protocols/ids.js';
import { subjects } from '../../protocols/subjects.js';
import { fail, ok, type Finding } from './finding.js';

const REPLY_WITHIN_MS = 2_000;
/** A job that does not exist: ids have 80 random bits. Only a leader replies NOT_FOUND. */
const NO_JOB = '0000000000000000';
const LEADS = 'NOT_FOUND';

interface ErrorReply {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

export async function leaderFindings(nc: NatsConnection, ns: Namespace, partitions: number): Promise<Finding[]> {
  const replies = await Promise.all(Array.from({ length: partitions }, (_, n) => ask(nc, ns, n)));
  const failed = replies.flatMap(({ code, message, hint }, n) => {
    return code === LEADS ? [] : [fail(`partition ${n}`, `${code}: ${message}`, hint)];
  });
  return failed.length > 0 ? failed : [ok('leaders', `${partitions} of ${partitions} partitions have one`)];
}

async function ask(nc: NatsConnection, ns: Namespace, partition: number): Promise<ErrorReply> {
  try {
    const request = JSON.stringify({ jobId: `${partition}-${NO_JOB}` });
    const subject = subjects.command(ns, { noun: 'job', verb: 'get' });
    return (await nc.request(subject, request, { timeout: REPLY_WITHIN_MS })).json<ErrorReply>();
  } catch {
    return {
      code: 'NOT_LEADER',
      message: `no broker replied for it within ${REPLY_WITHIN_MS} ms`,
      hint: 'A broker may be taking it over: try again, and see the logs of the brokers.',
    };
  }
}
