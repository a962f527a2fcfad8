/** The public subjects, announced by NATS micro ($SRV.PING, INFO, STATS) and served by all brokers as a queue group. */
import { Svcm, type Service } from '@nats-io/services';
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { nameOf } from '../../actors/command.js';
import { commandOf, COMMANDS } from '../../actors/commands.js';
import { submit } from '../../actors/job/commands/submit.js';
import type { PartitionHost } from '../../partition/leader/host.js';
import type { Namespace } from '../../protocols/ids.js';
import { BROKER_GROUP, DELIVER, EVERY, subjects } from '../../protocols/subjects.js';
import type { Router } from '../router.js';
import { routeMessage } from './bundle.js';
import { NatsMessage, receive } from './message.js';

const DELIVERY = nameOf(DELIVER);

export interface Serving {
  readonly nc: NatsConnection;
  readonly ns: Namespace;
  readonly router: Router;
}

export async function announce({ nc, ns, router }: Serving, version: string, broker: string): Promise<Service> {
  const service = await new Svcm(nc).add({
    name: 'reprise', version, description: 'Runs jobs on fleets of workers and remembers everything that happened.',
    queue: BROKER_GROUP, metadata: { namespace: ns, broker },
    statsHandler: async ({ subject }) =>
      (subject === subjects.command(ns, submit) ? { commandWindowMs: router.commandWindowMs } : null),
  });
  for (const command of COMMANDS) {
    const handler = (error: Error | null, msg: Msg): void => {
      if (!error) routeMessage(router, command, new NatsMessage(nc, ns, msg, false));
    };
    service.addEndpoint(`${command.noun}-${command.verb}`, { subject: subjects.command(ns, command), handler });
  }
  return service;
}

/** Serves a leader's own subjects, to which other brokers forward requests. @returns stops it */
export function serveLeader({ nc, ns, router }: Serving, host: PartitionHost): () => void {
  const { partition } = host;
  const all = subjects.leader(ns, partition, EVERY);
  const start = all.indexOf('*');
  const subscription = nc.subscribe(all, {
    callback: (error, msg) => {
      if (error) return;
      const name = msg.subject.slice(start);
      if (name === DELIVERY) return receive(host, msg);
      const command = commandOf(name);
      if (command) routeMessage(router, command, new NatsMessage(nc, ns, msg, true), partition);
    },
  });
  return () => subscription.unsubscribe();
}
