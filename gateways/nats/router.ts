/**
 * Any broker answers: a request goes to the leader of its partition, here if this broker leads it, otherwise over NATS
 * with the client's own reply inbox. What concerns several partitions is split, and the answers are put together.
 */
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { COMMANDS } from '../../partition/core/command-ids.js';
import type { Command } from '../../actors/inputs.js';
import type { PartitionHost } from '../../partition/leader/host.js';
import type { Answerable } from '../../actors/reply.js';
import { shaped, type Shaped } from './shapes.js';
import { ERRORS, isCode, reject, wireError, type ForeignRejection, type Rejection } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { job, worker } from '../../protocols/messages.js';
import { subjects, type Verb, type WorkerVerb } from '../../protocols/subjects.js';
import { Invalid, validated } from '../../protocols/bounds.js';
import {
  awaitCommand, cancelCommand, drainCommand, getCommand, heartbeatCommand, pullCommand, registerCommand, reportCommand, submitCommand, submitParts,
  targetPartition,
} from './commands.js';
import { replyOf, unanswered, type ForwardedVerb } from './forwarded.js';
import type { Identities } from './identities.js';
import { NatsRequest } from './request.js';
import { partitionIn } from './worker-requests.js';

const FORWARD_TIMEOUT_MS = 5_000;

export class Router {
  constructor(
    private readonly nc: NatsConnection,
    private readonly ns: Namespace,
    private readonly hosts: readonly PartitionHost[],
    private readonly identities: Identities,
    private readonly onError: (verb: Verb, rejection: Rejection | ForeignRejection) => void,
  ) {}

  /** For `$SRV.STATS`: for how long commands are known again, at the least, by the leaders that are here. */
  get commandWindowMs(): number {
    return Math.min(COMMANDS.ms, ...this.hosts.map(({ leader }) => leader?.commandWindowMs ?? COMMANDS.ms));
  }

  /** @param only the partition whose leader is asked, when another broker has forwarded the request */
  route(verb: Verb, msg: Msg, only?: Partition): void {
    const request = new NatsRequest(msg, verb, this.hosts.length, only !== undefined, (rejection) => this.onError(verb, rejection));
    const message = request.decode();
    if (isRejection(message)) return request.refuse(message);
    const refused = validated(() => {
      this.dispatch(request, message, only);
      return undefined;
    });
    if (refused) request.refuse(refused);
  }

  private dispatch(request: NatsRequest, message: object, only: Partition | undefined): void {
    switch (request.verb) {
      case 'submit': return this.submit(request, message as job.SubmitJobs, only);
      case 'get': return this.toTarget(request, getCommand(message as job.GetJob, request), only);
      case 'await': return this.toTarget(request, awaitCommand(message as job.AwaitJob, request), only);
      case 'cancel': return this.toTarget(request, cancelCommand(message as job.CancelJob, request), only);
      case 'register': return this.register(request, message as worker.RegisterWorker, only);
      default: return this.fromSession(request, request.verb, message, only);
    }
  }

  private register(request: NatsRequest, message: worker.RegisterWorker, only: Partition | undefined): void {
    const identity = this.identities.register(message);
    this.toAll(request, worker.RegisterWorker.create({ ...message, ...identity }), (to) => registerCommand(message, identity, to), only);
  }

  private fromSession(request: NatsRequest, verb: Exclude<WorkerVerb, 'register'>, message: object, only: Partition | undefined): void {
    const identity = this.identities.prove(message as worker.Pull);
    switch (verb) {
      case 'drain': return this.toAll(request, message, (to) => drainCommand(message as worker.DrainWorker, identity, to), only);
      case 'pull': return this.toStated(request, message as worker.Pull, only, (p) => pullCommand(message as worker.Pull, identity, request, p));
      case 'report':
        return this.toStated(request, message as worker.ReportAttempts, only, (p) => reportCommand(message as worker.ReportAttempts, identity, request, p));
      case 'heartbeat':
        return this.toStated(request, message as worker.Heartbeat, only, (p) => heartbeatCommand(message as worker.Heartbeat, identity, request, p));
      default: return verb satisfies never;
    }
  }

  private toTarget(request: NatsRequest, command: Extract<Command, { kind: 'get' | 'await' | 'cancel' }>, only: Partition | undefined): void {
    this.send(request, targetPartition(command.target, this.hosts.length), command, only);
  }

  private toStated(request: NatsRequest, message: { partition: number }, only: Partition | undefined, command: (partition: Partition) => Command): void {
    const partition = partitionIn(message.partition, this.hosts.length);
    this.send(request, partition, command(partition), only);
  }

  private send(request: NatsRequest, partition: Partition, command: Command, only: Partition | undefined): void {
    if (only !== undefined && only !== partition) throw new Invalid('WRONG_PARTITION', `this is the leader of partition ${only}, not ${partition}`);
    const host = this.hosts[partition]!;
    if (host.leader) return host.leader.handle(command);
    if (only !== undefined || !host.isFollowing) return request.refuse(host.whyNot);
    if (host.halted) return this.relay(request, host, command);
    const { msg } = request;
    if (request.mayAnswer) this.nc.publish(subjects.leader(this.ns, partition, request.verb), msg.data, { reply: msg.reply });
  }

  /** For one that stood still when it led last: another may lead by now, or stand still as well, and only its answer tells. */
  private relay(request: NatsRequest, host: PartitionHost, command: Command): void {
    const { whyNot } = host;
    const waitMs = ('waitMs' in command ? command.waitMs : undefined) ?? 0;
    this.nc.request(subjects.leader(this.ns, host.partition, request.verb), request.msg.data, { timeout: FORWARD_TIMEOUT_MS + waitMs }).then(
      (msg) => {
        host.halted = undefined;
        request.pass(msg);
      },
      () => request.refuse(whyNot),
    );
  }

  private submit(request: NatsRequest, message: job.SubmitJobs, only: Partition | undefined): void {
    const { request: submit, parts } = submitParts(message, this.hosts.length);
    const [first] = parts.keys();
    if (parts.size === 1) return this.send(request, first!, submitCommand(submit, undefined, request, first!), only);
    if (only !== undefined && parts.size > 0) throw new Invalid('WRONG_PARTITION', `the jobs are not all of partition ${only}`);
    // A refused job stays here: protobuf would wrap what JSON could say, and make a valid number of it.
    const merged = submit.jobs.map((each): job.JobReply.$Properties => ('code' in each ? { error: wireError(each) } : {}));
    if (parts.size === 0) return request.send({ kind: 'jobs', jobs: merged });
    let waiting = parts.size;
    for (const [partition, nths] of parts) {
      const to = answering('submit', (reply) => {
        nths.forEach((nth, at) => (merged[nth] = partReply(reply, at)));
        waiting -= 1;
        if (waiting === 0) request.send({ kind: 'jobs', jobs: merged });
      });
      const host = this.hosts[partition]!;
      if (host.leader) host.leader.handle(submitCommand(submit, nths, to, partition));
      else this.askLeader(partition, 'submit', partOf(message, nths), to, submit.waitMs);
    }
  }

  /**
   * To every partition, the home partition first. A worker has left when all have let it go. It is registered when one
   * partition knows it and none decides otherwise: those that stand still answer UNKNOWN_WORKER once they can.
   */
  private toAll(request: NatsRequest, message: object, command: (to: Answerable) => Command, only: Partition | undefined): void {
    if (only !== undefined) return this.hosts[only]!.leader ? this.hosts[only]!.leader!.handle(command(request)) : request.refuse(this.hosts[only]!.whyNot);
    const replies: Shaped[] = [];
    const verb = request.verb === 'register' ? 'register' : 'drain';
    this.hosts.forEach((host, nth) => {
      const to = answering(verb, (reply) => {
        replies[nth] = reply;
        if (Object.keys(replies).length < this.hosts.length) return;
        request.send(verb === 'register' ? registeredBy(replies) : (replies.find((each) => each.kind === 'refused') ?? replies[0]!));
      });
      const asked = command(to);
      if (host.leader) host.leader.handle(asked);
      else this.askLeader(nth as Partition, verb, request.protobuf(message), to);
    });
  }

  /** Asks another broker's leader, in protobuf. */
  private askLeader(partition: Partition, verb: ForwardedVerb, data: Uint8Array, to: Part, waitMs = 0): void {
    const host = this.hosts[partition]!;
    if (!host.isFollowing) return to.send({ kind: 'refused', rejection: host.whyNot });
    this.nc.request(subjects.leader(this.ns, partition, verb), data, { timeout: FORWARD_TIMEOUT_MS + waitMs }).then(
      (msg) => to.send(replyOf(verb, msg)),
      (cause: unknown) => to.send({ kind: 'refused', rejection: unanswered(cause, partition) }),
    );
  }
}

/** What a partition suffers from may pass; what it decides about the worker counts for all. */
const mayPass = (reply: Shaped): boolean =>
  reply.kind === 'refused' && isCode(reply.rejection.code) && (ERRORS[reply.rejection.code].kind === 'operating' || ERRORS[reply.rejection.code].retryable);

/** The epoch is that of the home partition, or 0 where that one has not registered the worker. */
function registeredBy(replies: readonly Shaped[]): Shaped {
  const refused = replies.find((each) => each.kind === 'refused' && !mayPass(each));
  const registered = replies.find((each) => each.kind === 'registered');
  if (refused || registered === undefined || registered === replies[0]) return refused ?? replies[0]!;
  return { ...registered, epoch: 0 };
}

const isRejection = (value: object): value is Rejection => 'code' in value && 'message' in value;

interface Part extends Answerable {
  send(reply: Shaped): void;
}

const answering = (verb: Verb, send: (reply: Shaped) => void): Part => ({ asker: 'asker', send, answer: (reply) => send(shaped(verb, reply)) });

function partReply(reply: Shaped, at: number): job.JobReply.$Properties {
  const answered = reply.kind === 'jobs' ? reply.jobs[at] : undefined;
  if (answered) return answered;
  return { error: wireError(reply.kind === 'refused' ? reply.rejection : reject('UNKNOWN', 'the leader did not answer for this job')) };
}

const partOf = (message: job.SubmitJobs, nths: readonly number[]): Uint8Array =>
  job.SubmitJobs.encode({ jobs: nths.map((nth) => message.jobs[nth]!), wait: message.wait, waitMs: message.waitMs }).finish();
