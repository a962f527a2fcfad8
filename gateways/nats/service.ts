/** The public subjects, announced by NATS micro ($SRV.PING, INFO, STATS) and served by all brokers as one group. */
import { Svcm, type Service } from '@nats-io/services';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { BROKER_GROUP, JOB_VERBS, subjects, WORKER_VERBS, type Verb } from '../../protocols/subjects.js';
import type { Router } from './router.js';

export async function announce(nc: NatsConnection, ns: Namespace, version: string, broker: string, router: Router): Promise<Service> {
  const service = await new Svcm(nc).add({
    name: 'reprise', version, description: 'Runs jobs on fleets of workers and remembers everything that happened.',
    queue: BROKER_GROUP, metadata: { namespace: ns, broker },
    statsHandler: async ({ subject }) => (subject === subjects.job(ns, 'submit') ? { commandWindowMs: router.commandWindowMs } : null),
  });
  const serve = (verb: Verb, name: string, subject: string): void => {
    service.addEndpoint(name, { subject, handler: (error, msg) => (error ? undefined : router.route(verb, msg)) });
  };
  for (const verb of JOB_VERBS) serve(verb, `job-${verb}`, subjects.job(ns, verb));
  for (const verb of WORKER_VERBS) serve(verb, `worker-${verb}`, subjects.worker(ns, verb));
  return service;
}

/** A leader's own subjects, where other brokers forward to. @returns how to stop listening */
export function serveLeader(nc: NatsConnection, ns: Namespace, partition: Partition, router: Router): () => void {
  const subscription = nc.subscribe(subjects.leader(ns, partition, '*'), {
    callback: (error, msg) => {
      const verb = msg.subject.slice(msg.subject.lastIndexOf('.') + 1);
      if (!error && isVerb(verb)) router.route(verb, msg, partition);
    },
  });
  return () => subscription.unsubscribe();
}

const isVerb = (text: string): text is Verb => ([...JOB_VERBS, ...WORKER_VERBS] as string[]).includes(text);
