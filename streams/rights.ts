/**
 * What the users of a broker must be allowed to do, tried on the server before the broker leads. Otherwise a missing
 * right would show only when it is first needed, perhaps days later. The probes are neither stored nor delivered.
 */
import { setImmediate as soon } from 'node:timers/promises';
import { createInbox, errors, headers, type NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { EVERY, streams, subjects } from '../protocols/subjects.js';
import { onRefusal } from './connect.js';

type Denial = InstanceType<typeof errors.PermissionViolationError>;

/** Rights of the connection for streams, leadership and facts. @throws RepriseError PERMISSION_DENIED */
export async function checkStreamRights(
  nc: NatsConnection,
  user: string,
  ns: Namespace,
  partitions: number,
): Promise<void> {
  const journals = Array.from({ length: partitions }, (_, n) => n as Partition);
  const stored = [
    ...journals.flatMap((partition) => [subjects.journal(ns, partition), subjects.witness(ns, partition)]),
    ...[streams.leadership(ns), streams.checkpoints(ns), streams.keys(ns)].map((name) => `$KV.${name}.rights`),
    `$O.${streams.snapshots(ns)}.M.rights`,
  ];
  const journal = streams.journal(ns, 0 as Partition);
  // Without a body the server does nothing for these requests.
  const api = ['STREAM.CREATE', 'CONSUMER.CREATE', 'STREAM.MSG.GET'].map((request) => `$JS.API.${request}.${journal}`);
  const denied = await denials(nc, () => {
    for (const subject of stored) nc.publish(subject, undefined, { headers: expectingNoStream() });
    for (const subject of api) nc.publish(subject);
    nc.publish(subjects.event(ns, 'job', 'rights', 'Tried'), undefined, undelivered());
  });
  refuse(user, 'lead partitions', denied);
}

/** Rights of the connection for requests and replies. @param serve subscribes to the public subjects */
export async function checkGatewayRights(
  nc: NatsConnection,
  user: string,
  ns: Namespace,
  serve: () => Promise<void>,
): Promise<void> {
  const leader = subjects.leader(ns, 0 as Partition, { noun: 'job', verb: 'submit' });
  const denied = await denials(nc, async () => {
    await serve();
    nc.subscribe(subjects.leader(ns, 0 as Partition, EVERY), { callback: () => undefined }).unsubscribe();
    for (const subject of [leader, createInbox()]) nc.publish(subject, undefined, undelivered());
  });
  refuse(user, 'answer requests', denied);
}

/** The server checks the subject, and sends a trace to the destination instead of delivering the message. */
function undelivered(): { traceOnly: true; traceDestination: string } {
  return { traceOnly: true, traceDestination: createInbox() };
}

/** A stream refuses a message that expects another stream. */
function expectingNoStream(): ReturnType<typeof headers> {
  const fence = headers();
  fence.set('Nats-Expected-Stream', 'none');
  return fence;
}

/** Publishes and subscriptions of `act` that the server refuses. Its refusals come before the reply to a flush. */
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
  const lacking = `The broker connects as ${user}, which lacks a right that it needs to ${purpose}`;
  throw new RepriseError('PERMISSION_DENIED', `${lacking}: ${first.message}${more}.`, { cause: first });
}
