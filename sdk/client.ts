/**
 * A client of Reprise: submits, awaits, shows, cancels and watches jobs over the public subjects.
 */
import { randomBytes } from 'node:crypto';
import type { NatsConnection } from '@nats-io/nats-core';
import type { Command } from '../actors/command.js';
import type { VerbOf } from '../actors/commands.js';
import type { JobToSubmit } from '../actors/job/job.submit.js';
import { hasEnded } from '../actors/job/job.view.js';
import { encodeContent } from '../protocols/content.js';
import { RepriseError } from '../protocols/errors.js';
import { parseNamespace, type Namespace } from '../protocols/ids.js';
import { DEFAULTS } from '../protocols/limits.js';
import { job } from '../protocols/messages.js';
import { subjects } from '../protocols/subjects.js';
import { connectNats } from '../streams/connect.js';
import { jobReplyOf, errorOf, viewOf, type JobReply, type JobView } from './replies.js';
import { Asking, conclusion, isRetried, mayBeRecorded, type RetryBudget } from './asking.js';
import { documentText } from '../protocols/json-text.js';
import { checkJob, checkPrincipal } from './checks.js';
import { watchJob, type Seen } from './watch.js';

export type { JobToSubmit } from '../actors/job/job.submit.js';
export { hasEnded } from '../actors/job/job.view.js';
export type { Failure } from '../actors/job/job.js';
export type { WireError } from '../protocols/errors.js';
export type { JobReply, JobView, Position } from './replies.js';
export { mayBeRecorded } from './asking.js';
export type { Seen } from './watch.js';

export interface ClientOptions {
  readonly url: string;
  readonly namespace?: string;
  /** For people who look at the server's list of connections. */
  readonly name?: string;
  /**
   * How long to retry a request that keeps failing: 10 seconds by default, 30 at most, because a busy broker recognizes
   * a repeated command for little longer than that (docs/protocol.md). After that the caller decides what to do.
   */
  readonly giveUpMs?: number;
  /**
   * The principal that is recorded as `by` with the events that the requests cause. At most 128 bytes without control
   * characters. It is a claim of the client and is not verified. Empty by default.
   */
  readonly principal?: string;
  /**
   * Calls that are made within one turn of the event loop are sent together, those of one function that follow one
   * another: at most 256 of them and 256 KiB in one message. Each has its own result or error, when it is there. False
   * sends each call by itself.
   */
  readonly gather?: boolean;
}

export interface Waiting {
  /** Reply with the outcome. */
  readonly wait?: boolean;
  /** How long at most, 30 seconds by default. After that the reply has the current status. */
  readonly waitMs?: number;
}

/** What of a command a client needs. */
export type Requestable = Pick<Command, 'noun' | 'verb' | 'request' | 'reply'>;

export type Target = { readonly jobId: string } | { readonly queue?: string; readonly key: string };

/** A long wait is split into requests of this length, so that a broker that dies during one delays the reply little. */
const HOLD_MS = 5_000;
const GIVE_UP_MS = 10_000;
const MOST_GIVE_UP_MS = 30_000;

/** @throws RepriseError SERVER_UNREACHABLE, PERMISSION_DENIED, INVALID_ARGUMENT */
export async function connectClient(options: ClientOptions): Promise<Client> {
  const ns = parseNamespace(options.namespace ?? 'default');
  if (ns === undefined) throw new RepriseError('INVALID_ARGUMENT', 'The namespace must be 1 to 64 of A-Z a-z 0-9 _ -.');
  const principal = checkPrincipal(options.principal ?? '');
  const { url, name = 'reprise client', gather = true } = options;
  const giveUpMs = Math.min(options.giveUpMs ?? GIVE_UP_MS, MOST_GIVE_UP_MS);
  const nc = await connectNats({ url, name, reconnect: true, requester: true });
  return new Client(nc, ns, new Asking(nc, giveUpMs, { principal, gather }));
}

export class Client {
  constructor(
    private readonly nc: NatsConnection,
    private readonly ns: Namespace,
    private readonly asking: Asking,
  ) {
    void this.watchConnection();
    const callback = (): void =>
      asking.failOpenRequests(new RepriseError('UNKNOWN', 'The leader changed before it replied.'));
    nc.subscribe(subjects.event(ns, 'partition', '*', 'LeaderStarted'), { callback });
  }

  /**
   * One reply for each job, in order. The reply for a job that was refused has `error`.
   * @throws RepriseError INVALID_ARGUMENT for a job that cannot be sent, and the error of the request if it failed
   */
  async submit(
    jobs: readonly JobToSubmit[], { wait = false, waitMs = DEFAULTS.waitMs }: Waiting = {},
  ): Promise<JobReply[]> {
    const untilMs = performance.now() + waitMs;
    const messages = jobs.map(messageOf);
    const replies: JobReply[] = [];
    let open = messages.map((_, nth) => nth);
    const budget = this.asking.budget();
    await this.asking.repeat(async () => {
      const holdMs = wait ? hold(untilMs) : 0;
      const request = job.SubmitJobs.encode({ jobs: open.map((nth) => messages[nth]!), wait, waitMs: holdMs }).finish();
      const { jobs: decoded } = job.SubmitReply.decode(await this.ask('submit', request, holdMs, budget));
      open.forEach((nth, at) => (replies[nth] = jobReplyOf(decoded![at] as job.JobReply)));
      open = open.filter((nth) => isRetried(replies[nth]!.error?.code ?? ''));
      // An error after which a job may have been recorded takes precedence.
      const worst = open.find((nth) => mayBeRecorded(replies[nth]!.error!.code)) ?? open[0];
      if (worst !== undefined) throw errorOf(replies[worst]!.error!);
    }, budget).catch((last: unknown) => {
      const error = conclusion(last, budget);
      if (replies.length === 0) throw error;
      // Jobs that have a reply keep it; the others get the error.
      if (error === last || !(error instanceof RepriseError)) return;
      for (const nth of open) replies[nth] = { ...replies[nth]!, error };
    });
    return wait ? Promise.all(replies.map((reply) => this.untilEnded(reply, untilMs))) : replies;
  }

  async get(target: Target): Promise<JobView> {
    return viewOf(job.JobView.decode(await this.ask('get', job.GetJob.encode(target).finish())) as job.JobView);
  }

  /** The outcome, or the current status when the time is over. */
  async await(target: Target, { waitMs = DEFAULTS.waitMs }: Pick<Waiting, 'waitMs'> = {}): Promise<JobReply> {
    return this.awaitUntil(target, performance.now() + waitMs);
  }

  /** A running job is asked to stop; `cancelling` then says that its worker has not stopped yet. */
  async cancel(target: Target, { reason = '', commandId = drawCommandId() } = {}): Promise<JobReply> {
    const request = job.CancelJob.encode({ ...target, reason, commandId }).finish();
    const budget = this.asking.budget();
    const reply = await this.ask('cancel', request, 0, budget).catch((error: unknown) => {
      throw conclusion(error, budget);
    });
    return jobReplyOf(job.JobReply.decode(reply) as job.JobReply);
  }

  /** Events and progress of a job from this call on, until it has ended. */
  watch(jobId: string): AsyncGenerator<Seen> {
    return watchJob(this.nc, this.ns, jobId, () => this.get({ jobId }));
  }

  /**
   * Any command, by its messages; typed clients of other nouns are made of it. Repeated like the others, so what it
   * records needs a command id in it.
   * @param holdMs how long the broker may delay its reply
   */
  async request<Reply>(command: Requestable, message: object, holdMs = 0): Promise<Reply> {
    const request = command.request.encode(message).finish();
    const budget = this.asking.budget();
    const subject = subjects.command(this.ns, command);
    const reply = await this.asking.ask(subject, request, holdMs, budget).catch((error: unknown) => {
      throw conclusion(error, budget);
    });
    return command.reply.decode(reply) as Reply;
  }

  async close(): Promise<void> {
    await this.nc.close();
  }

  private async untilEnded(reply: JobReply, untilMs: number): Promise<JobReply> {
    if (reply.error || hasEnded(reply.status) || performance.now() >= untilMs) return reply;
    return { ...(await this.awaitUntil({ jobId: reply.jobId }, untilMs)), duplicate: reply.duplicate };
  }

  private async awaitUntil(target: Target, untilMs: number): Promise<JobReply> {
    for (;;) {
      const holdMs = hold(untilMs);
      const request = job.AwaitJob.encode({ ...target, waitMs: holdMs }).finish();
      const reply = jobReplyOf(job.JobReply.decode(await this.ask('await', request, holdMs)) as job.JobReply);
      if (hasEnded(reply.status) || performance.now() >= untilMs) return reply;
    }
  }

  private ask(verb: VerbOf<'job'>, data: Uint8Array, holdMs = 0, budget?: RetryBudget): Promise<Uint8Array> {
    return this.asking.ask(subjects.command(this.ns, { noun: 'job', verb }), data, holdMs, budget);
  }

  private async watchConnection(): Promise<void> {
    for await (const { type } of this.nc.status()) {
      if (type !== 'disconnect') continue;
      this.asking.failOpenRequests(new RepriseError('SERVER_UNREACHABLE', 'The connection to the server was lost.'));
    }
  }
}

const hold = (untilMs: number): number => Math.max(1, Math.min(HOLD_MS, Math.round(untilMs - performance.now())));
export const drawCommandId = (): string => randomBytes(12).toString('base64url');

function messageOf(given: JobToSubmit): job.SubmitJob.$Properties {
  checkJob(given);
  const { payload, contentType, commandId, require, prefer, ...rest } = given;
  const content = encodeContent(payload);
  return {
    ...rest,
    payload: content.bytes,
    contentType: contentType ?? content.contentType,
    commandId: commandId ?? drawCommandId(),
    requireJson: documentText(require),
    preferJson: documentText(prefer),
  };
}
