/**
 * A client of Reprise: submits jobs, waits for them, looks at them, cancels and watches them, over the public
 * subjects.
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
import { answerOf, errorOf, viewOf, type JobAnswer, type JobView } from './answers.js';
import { Asking, conclusion, helpsToRepeat, mayBeRecorded, type Effort } from './asking.js';
import { checkJob, checkPrincipal } from './checks.js';
import { watchJob, type Seen } from './watch.js';

export type { JobToSubmit } from '../actors/job/job.submit.js';
export { hasEnded } from '../actors/job/job.view.js';
export type { Failure, JobAnswer, JobView, Position, Refusal } from './answers.js';
export { mayBeRecorded } from './asking.js';
export type { Seen } from './watch.js';

export interface ClientOptions {
  readonly url: string;
  readonly namespace?: string;
  /** For people who look at the server's list of connections. */
  readonly name?: string;
  /**
   * How long to repeat a request that meets nothing but troubles, 10 seconds by default and 30 at most: a busy broker
   * knows a command again for little longer (docs/protocol.md). Then it is for the caller to repeat it, or to look.
   */
  readonly giveUpMs?: number;
  /**
   * Who asks, for the record: it becomes the `by` of what the requests cause. At most 128 bytes without control
   * characters. It is what the client says of itself, and nothing vouches for it. Nothing by default.
   */
  readonly principal?: string;
}

export interface Waiting {
  /** Answer with the outcome. */
  readonly wait?: boolean;
  /** How long at most, 30 seconds by default; then the status so far is the answer. */
  readonly waitMs?: number;
}

/** What of a command a client needs. */
export type Requestable = Pick<Command, 'noun' | 'verb' | 'request' | 'reply'>;

export type Target = { readonly jobId: string } | { readonly queue?: string; readonly key: string };

/** Waiting is done in pieces, so that a broker that dies while it holds the answer back delays nobody for long. */
const HOLD_MS = 5_000;
const GIVE_UP_MS = 10_000;
const MOST_GIVE_UP_MS = 30_000;

/** @throws RepriseError SERVER_UNREACHABLE, PERMISSION_DENIED, INVALID_ARGUMENT */
export async function connectClient(options: ClientOptions): Promise<Client> {
  const ns = parseNamespace(options.namespace ?? 'default');
  if (ns === undefined) throw new RepriseError('INVALID_ARGUMENT', 'The namespace must be 1 to 64 of A-Z a-z 0-9 _ -.');
  const principal = checkPrincipal(options.principal ?? '');
  const { url, name = 'reprise client' } = options;
  const nc = await connectNats({ url, name, reconnect: true, requester: true });
  return new Client(nc, ns, new Asking(nc, Math.min(options.giveUpMs ?? GIVE_UP_MS, MOST_GIVE_UP_MS), principal));
}

export class Client {
  readonly #ns: Namespace;
  readonly #nc: NatsConnection;
  readonly #asking: Asking;

  constructor(nc: NatsConnection, ns: Namespace, asking: Asking) {
    this.#nc = nc;
    this.#ns = ns;
    this.#asking = asking;
    void this.#watchConnection();
    const callback = (): void =>
      asking.disturb(new RepriseError('UNKNOWN', 'Another leader has come before there was an answer.'));
    nc.subscribe(subjects.event(ns, 'partition', '*', 'LeaderStarted'), { callback });
  }

  /**
   * Each job is answered by itself, in order; one that was refused has `error`.
   * @throws RepriseError INVALID_ARGUMENT for what could not even be sent, and what keeps a broker from answering
   */
  async submit(
    jobs: readonly JobToSubmit[], { wait = false, waitMs = DEFAULTS.waitMs }: Waiting = {},
  ): Promise<JobAnswer[]> {
    const untilMs = performance.now() + waitMs;
    const messages = jobs.map(messageOf);
    const answers: JobAnswer[] = [];
    let open = messages.map((_, nth) => nth);
    const effort = this.#asking.effort();
    await this.#asking.repeat(async () => {
      const holdMs = wait ? hold(untilMs) : 0;
      const request = job.SubmitJobs.encode({ jobs: open.map((nth) => messages[nth]!), wait, waitMs: holdMs }).finish();
      const reply = job.SubmitReply.decode(await this.#ask('submit', request, holdMs, effort));
      open.forEach((nth, at) => (answers[nth] = answerOf(reply.jobs![at] as job.JobReply)));
      open = open.filter((nth) => helpsToRepeat(answers[nth]!.error?.code ?? ''));
      // The worst of them counts: one that may have been recorded.
      const worst = open.find((nth) => mayBeRecorded(answers[nth]!.error!.code)) ?? open[0];
      if (worst !== undefined) throw errorOf(answers[worst]!.error!);
    }, effort).catch((trouble: unknown) => {
      const error = conclusion(trouble, effort);
      if (answers.length === 0) throw error;
      // Those that were answered keep their answers; the others say why they were refused.
      if (error === trouble || !(error instanceof RepriseError)) return;
      for (const nth of open) answers[nth] = { ...answers[nth]!, error };
    });
    return wait ? Promise.all(answers.map((answer) => this.#untilEnded(answer, untilMs))) : answers;
  }

  async get(target: Target): Promise<JobView> {
    return viewOf(job.JobView.decode(await this.#ask('get', job.GetJob.encode(target).finish())) as job.JobView);
  }

  /** The outcome, or the status so far when the time is over. */
  async await(target: Target, { waitMs = DEFAULTS.waitMs }: Pick<Waiting, 'waitMs'> = {}): Promise<JobAnswer> {
    return this.#awaitUntil(target, performance.now() + waitMs);
  }

  /** A running job is asked to stop; `cancelling` then says that its worker has not stopped yet. */
  async cancel(target: Target, { reason = '', commandId = drawCommandId() } = {}): Promise<JobAnswer> {
    const request = job.CancelJob.encode({ ...target, reason, commandId }).finish();
    const effort = this.#asking.effort();
    const reply = await this.#ask('cancel', request, 0, effort).catch((trouble: unknown) => {
      throw conclusion(trouble, effort);
    });
    return answerOf(job.JobReply.decode(reply) as job.JobReply);
  }

  /** What happens to a job from now on, until it has ended. Listening begins with the call, not with the first look. */
  watch(jobId: string): AsyncGenerator<Seen> {
    return watchJob(this.#nc, this.#ns, jobId, () => this.get({ jobId }));
  }

  /**
   * Any command, by its messages; typed faces of other nouns are made of it. Repeated like the others, so what it records
   * needs a command id in it.
   */
  async request<Reply>(command: Requestable, message: object): Promise<Reply> {
    const request = command.request.encode(message).finish();
    const effort = this.#asking.effort();
    const subject = subjects.command(this.#ns, command);
    const reply = await this.#asking.ask(subject, request, 0, effort).catch((trouble: unknown) => {
      throw conclusion(trouble, effort);
    });
    return command.reply.decode(reply) as Reply;
  }

  async close(): Promise<void> {
    await this.#nc.close();
  }

  async #untilEnded(answer: JobAnswer, untilMs: number): Promise<JobAnswer> {
    if (answer.error || hasEnded(answer.status) || performance.now() >= untilMs) return answer;
    return { ...(await this.#awaitUntil({ jobId: answer.jobId }, untilMs)), duplicate: answer.duplicate };
  }

  async #awaitUntil(target: Target, untilMs: number): Promise<JobAnswer> {
    for (;;) {
      const holdMs = hold(untilMs);
      const request = job.AwaitJob.encode({ ...target, waitMs: holdMs }).finish();
      const answer = answerOf(job.JobReply.decode(await this.#ask('await', request, holdMs)) as job.JobReply);
      if (hasEnded(answer.status) || performance.now() >= untilMs) return answer;
    }
  }

  #ask(verb: VerbOf<'job'>, data: Uint8Array, holdMs = 0, effort?: Effort): Promise<Uint8Array> {
    return this.#asking.ask(subjects.command(this.#ns, { noun: 'job', verb }), data, holdMs, effort);
  }

  async #watchConnection(): Promise<void> {
    for await (const { type } of this.#nc.status()) {
      if (type !== 'disconnect') continue;
      this.#asking.disturb(new RepriseError('SERVER_UNREACHABLE', 'The connection to the server was lost.'));
    }
  }
}

const hold = (untilMs: number): number => Math.max(1, Math.min(HOLD_MS, Math.round(untilMs - performance.now())));
export const drawCommandId = (): string => randomBytes(12).toString('base64url');

function messageOf(given: JobToSubmit): job.SubmitJob.$Properties {
  checkJob(given);
  const { payload, contentType, commandId, ...rest } = given;
  const content = encodeContent(payload);
  return {
    ...rest, payload: content.bytes, contentType: contentType ?? content.contentType, commandId: commandId ?? drawCommandId(),
  };
}
