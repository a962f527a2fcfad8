/**
 * What the users of a broker must be allowed to do, tried on the server before anything is led: otherwise a missing right
 * shows only when it is first needed, perhaps days later. A try stores nothing and reaches nobody.
 */
import { setImmediate as soon } from 'node:timers/promises';
import { createInbox, errors, headers, type NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { EVERY, streams, subjects } from '../protocols/subjects.js';
import { onRefusal } from './connect.js';

type Denial = InstanceType<typeof errors.PermissionViolationError>;

/** Of the connection for streams, leases and facts. @throws RepriseError PERMISSION_DENIED */
export async function checkStreamRights(nc: NatsConnection, user: string, ns: Namespace, partitions: number): Promise<void> {
  const journals = Array.from({ length: partitions }, (_, n) => n as Partition);
  const stored = [
    ...journals.flatMap((partition) => [subjects.journal(ns, partition), subjects.witness(ns, partition)]),
    ...[streams.leases(ns), streams.checkpoints(ns), streams.keys(ns)].map((bucket) => `$KV.${bucket}.rights`),
  ];
  // Without a body the server makes nothing of them.
  const api = ['STREAM.CREATE', 'CONSUMER.CREATE', 'STREAM.MSG.GET'].map((request) => `$JS.API.${request}.${streams.journal(ns, 0 as Partition)}`);
  refuse(user, 'lead', await denials(nc, () => {
    for (const subject of stored) nc.publish(subject, undefined, { headers: forNoStream() });
    for (const subject of api) nc.publish(subject);
    nc.publish(subjects.event(ns, 'job', 'rights', 'Tried'), undefined, reachingNobody());
  }));
}

/** Of the connection that answers everybody. @param serve subscribes to the public subjects */
export async function checkGatewayRights(nc: NatsConnection, user: string, ns: Namespace, serve: () => Promise<void>): Promise<void> {
  const leader = subjects.leader(ns, 0 as Partition, { noun: 'job', verb: 'submit' });
  refuse(user, 'answer for them', await denials(nc, async () => {
    await serve();
    nc.subscribe(subjects.leader(ns, 0 as Partition, EVERY), { callback: () => undefined }).unsubscribe();
    for (const subject of [leader, createInbox()]) nc.publish(subject, undefined, reachingNobody());
  }));
}

/** The server checks the subject, and delivers only its own account of what it would have done. */
function reachingNobody(): { traceOnly: true; traceDestination: string } {
  return { traceOnly: true, traceDestination: createInbox() };
}

/** A stream refuses a message that is meant for another one. */
function forNoStream(): ReturnType<typeof headers> {
  const fence = headers();
  fence.set('Nats-Expected-Stream', 'none');
  return fence;
}

/** What the server refuses of what `act` sends. Its refusals come before the answer to a flush. */
async function denials(nc: NatsConnection, act: () => void | Promise<void>): Promise<Denial[]> {
  const denied: Denial[] = [];
  const stop = onRefusal(nc, (error) => error instanceof errors.PermissionViolationError && denied.push(error));
  await act();
  await nc.flush();
  await soon();
  stop();
  return denied;
}

function refuse(user: string, purpose: string, [first, ...others]: readonly Denial[]): void {
  if (first === undefined) return;
  const more = others.length > 0 ? `, and ${others.length} more` : '';
  throw new RepriseError('PERMISSION_DENIED', `As ${user} a broker cannot ${purpose}: ${first.message}${more}.`, { cause: first });
}
