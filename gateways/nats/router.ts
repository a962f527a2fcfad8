/**
 * Any broker answers: a request goes to the leader of its partition, here if this broker leads it, otherwise over NATS
 * with the client's own reply inbox. What concerns several partitions is split, and the answers are put together.
 */
import type { Msg, NatsConnection } from '@nats-io/nats-core';
import { COMMANDS } from '../../actors/partition/commands.js';
import type { Command } from '../../actors/partition/inputs.js';
import type { PartitionHost } from '../../actors/partition/host.js';
import { answer, type Answerable, type Reply } from '../../actors/partition/reply.js';
import { reject, type Rejection } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { job, worker } from '../../protocols/messages.js';
import { subjects, type Verb } from '../../protocols/subjects.js';
import { Invalid, validated } from './bounds.js';
import {
  awaitCommand, cancelCommand, drainCommand, getCommand, heartbeatCommand, pullCommand, registerCommand, reportCommand, submitCommand, submitParts,
  targetPartition,
} from './commands.js';
import { NatsRequest } from './request.js';
import { partitionIn } from './worker-requests.js';

const FORWARD_TIMEOUT_MS = 5_000;

export class Router {
  constructor(
    private readonly nc: NatsConnection,
    private readonly ns: Namespace,
    private readonly hosts: readonly PartitionHost[],
    private readonly onError: (verb: Verb, rejection: Rejection) => void,
  ) {}

  /** For `$SRV.STATS`: for how long commands are known again, at the least, by the leaders that are here. */
  get commandWindowMs(): number {
    return Math.min(COMMANDS.ms, ...this.hosts.map(({ leader }) => leader?.commandWindowMs ?? COMMANDS.ms));
  }

  /** @param only the partition whose leader is asked, when another broker has forwarded the request */
  route(verb: Verb, msg: Msg, only?: Partition): void {
    const request = new NatsRequest(msg, verb, this.hosts.length, (rejection) => this.onError(verb, rejection));
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
      case 'register': return this.toAll(request, message, (to) => registerCommand(message as worker.RegisterWorker, to), only);
      case 'drain': return this.toAll(request, message, (to) => drainCommand(message as worker.DrainWorker, to), only);
      case 'pull': return this.toStated(request, message as worker.Pull, only, (p) => pullCommand(message as worker.Pull, request, p));
      case 'report': return this.toStated(request, message as worker.ReportAttempts, only, (p) => reportCommand(message as worker.ReportAttempts, request, p));
      case 'heartbeat': return this.toStated(request, message as worker.Heartbeat, only, (p) => heartbeatCommand(message as worker.Heartbeat, request, p));
      default: return request.verb satisfies never;
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
    if (msg.reply) this.nc.publish(subjects.leader(this.ns, partition, request.verb), msg.data, { reply: msg.reply });
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
    if (only !== undefined) throw new Invalid('WRONG_PARTITION', `the jobs are not all of partition ${only}`);
    const merged: job.JobReply.$Properties[] = [];
    let waiting = parts.size;
    for (const [partition, nths] of parts) {
      const to = answering((reply) => {
        nths.forEach((nth, at) => (merged[nth] = partReply(reply, at)));
        waiting -= 1;
        if (waiting === 0) request.answer({ kind: 'jobs', jobs: merged });
      });
      const host = this.hosts[partition]!;
      if (host.leader) host.leader.handle(submitCommand(submit, nths, to, partition));
      else this.askLeader(partition, 'submit', partOf(message, nths), to, submit.waitMs);
    }
  }

  /** To every partition, the home partition first; the worst answer counts. */
  private toAll(request: NatsRequest, message: object, command: (to: Answerable) => Command, only: Partition | undefined): void {
    if (only !== undefined) return this.hosts[only]!.leader ? this.hosts[only]!.leader!.handle(command(request)) : request.refuse(this.hosts[only]!.whyNot);
    const replies: Reply[] = [];
    this.hosts.forEach((host, nth) => {
      const to = answering((reply) => {
        replies[nth] = reply;
        if (Object.keys(replies).length < this.hosts.length) return;
        request.answer(replies.find((each) => each.kind === 'refused') ?? replies[0]!);
      });
      const asked = command(to);
      if (host.leader) host.leader.handle(asked);
      else this.askLeader(nth as Partition, request.verb, request.protobuf(message), to);
    });
  }

  /** Asks another broker's leader, in protobuf. */
  private askLeader(partition: Partition, verb: Verb, data: Uint8Array, to: Answerable, waitMs = 0): void {
    const host = this.hosts[partition]!;
    if (!host.isFollowing) return answer(to, { kind: 'refused', rejection: host.whyNot });
    this.nc.request(subjects.leader(this.ns, partition, verb), data, { timeout: FORWARD_TIMEOUT_MS + waitMs }).then(
      (msg) => answer(to, replyOf(verb, msg)),
      () => answer(to, { kind: 'refused', rejection: reject('NOT_LEADER', `nobody leads partition ${partition} at the moment`) }),
    );
  }
}

const isRejection = (value: object): value is Rejection => 'code' in value && 'message' in value;

const answering = (answerWith: (reply: Reply) => void): Answerable => ({ asker: 'asker', answer: answerWith });

function partReply(reply: Reply, at: number): job.JobReply.$Properties {
  if (reply.kind === 'jobs') return reply.jobs[at]!;
  const rejection = reply.kind === 'refused' ? reply.rejection : reject('UNKNOWN', 'an unexpected answer');
  return { error: { code: rejection.code, message: rejection.message } };
}

const partOf = (message: job.SubmitJobs, nths: readonly number[]): Uint8Array =>
  job.SubmitJobs.encode({ jobs: nths.map((nth) => message.jobs[nth]!), wait: message.wait, waitMs: message.waitMs }).finish();

function replyOf(verb: Verb, msg: Msg): Reply {
  const [code, ...message] = msg.headers?.get('Nats-Service-Error').split(': ') ?? [];
  if (code) return { kind: 'refused', rejection: reject(code as Rejection['code'], message.join(': ')) };
  if (verb === 'submit') return { kind: 'jobs', jobs: job.SubmitReply.decode(msg.data).jobs };
  if (verb === 'register') return { kind: 'registered', epoch: worker.RegisterReply.decode(msg.data).epoch };
  return { kind: 'drained', epoch: 0, status: worker.DrainReply.decode(msg.data).status };
}
