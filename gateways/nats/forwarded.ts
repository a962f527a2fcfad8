/**
 * What the leader of another broker answered, as a reply of ours. That broker may run another version: a code that our
 * table lacks is passed on as it came, and an answer that cannot be read is one whose outcome is unknown.
 */
import { errors, type Msg } from '@nats-io/nats-core';
import type { Shaped } from './shapes.js';
import { foreignRejection, reject, wireError, type ForeignRejection, type Rejection } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import { job, worker } from '../../protocols/messages.js';
import { readWireError } from '../../protocols/wire-error.js';

/** Several partitions are asked, and so brokers ask each other; everything else is passed on with the asker's own inbox. */
export type ForwardedVerb = 'submit' | 'register' | 'drain';

export function replyOf(verb: ForwardedVerb, { data, headers }: Pick<Msg, 'data' | 'headers'>): Shaped {
  try {
    const said = headers?.get('Nats-Service-Error') ?? '';
    if (said !== '') return { kind: 'refused', rejection: refusal(said, headers!.get('Nats-Service-Error-Code'), data) };
    switch (verb) {
      case 'submit': return { kind: 'jobs', jobs: job.SubmitReply.decode(data).jobs.map(plain) };
      case 'register': return registered(worker.RegisterReply.decode(data) as worker.RegisterReply);
      case 'drain': return { kind: 'drained', epoch: 0, status: worker.DrainReply.decode(data).status };
      default: return verb satisfies never;
    }
  } catch (cause) {
    return { kind: 'refused', rejection: reject('UNKNOWN', `the answer of another broker cannot be read: ${String(cause).slice(0, 200)}`) };
  }
}

const registered = ({ epoch, session, proof }: worker.RegisterReply): Shaped => ({ kind: 'registered', epoch, session, proof });

function refusal(said: string, status: string, data: Uint8Array): ForeignRejection {
  const [code, ...message] = said.split(': ');
  return foreignRejection(readWireError(data) ?? { code, message: message.join(': ') }, Number(status) || undefined);
}

/** Without the defaults of the prototype, which JSON would show: a job that has not ended has no empty result. */
function plain(reply: job.JobReply.$Properties): job.JobReply.$Properties {
  if (reply.error) return { error: wireError(foreignRejection(reply.error)) };
  return { ...reply, ...(reply.status === 'completed' && { result: reply.result ?? null }) };
}

/** Why no answer came. Only where nobody listened is it certain that nothing was changed. */
export function unanswered(cause: unknown, partition: Partition): Rejection {
  const nobody = cause instanceof errors.NoRespondersError || (cause instanceof errors.RequestError && cause.isNoResponders());
  if (nobody) return reject('NOT_LEADER', `nobody leads partition ${partition} at the moment`);
  return reject('UNKNOWN', `the leader of partition ${partition} did not answer: ${cause instanceof Error ? cause.message : String(cause)}`);
}
