/**
 * A leader's core alone, in this process: jobs are submitted and leased as by a broker, and what it decides is taken
 * and dropped. Times are of the process, so that other work on the machine counts less.
 */
import { randomBytes } from 'node:crypto';
import type { Command } from '../../actors/command.js';
import type { Effect } from '../../actors/effect.js';
import { submit } from '../../actors/job/commands/submit.js';
import { why } from '../../actors/job/commands/why.js';
import { submitJob } from '../../actors/job/job.submit.js';
import { KINDS } from '../../actors/kinds.js';
import { set } from '../../actors/queue/commands/set.js';
import type { ReplyTo } from '../../actors/reply.js';
import { pull } from '../../actors/worker/commands/pull.js';
import { register } from '../../actors/worker/commands/register.js';
import { report } from '../../actors/worker/commands/report.js';
import { pulledReply } from '../../actors/worker/replies.js';
import type { Notice } from '../../actors/worker/sessions.js';
import { PartitionCore } from '../../partition/core/core.js';
import {
  jobId, parseSession, parseToken, parseWorkerId, type JobId, type Partition, type Token,
} from '../../protocols/ids.js';
import { Keyring, SECRET_BYTES } from '../../protocols/keyring.js';
import { job as messages } from '../../protocols/messages.js';
import { randomSalts } from '../../streams/salts.js';

const P0 = 0 as Partition;
const TO: ReplyTo = { replyTo: 'replyTo' };
const AT_ONCE = 500;

export type GivenJob = ConstructorParameters<typeof messages.SubmitJob>[0];

export interface BenchWorker {
  readonly workerId: NonNullable<ReturnType<typeof parseWorkerId>>;
  readonly session: NonNullable<ReturnType<typeof parseSession>>;
  pullSeq: number;
  readonly held: Token[];
}

export interface Leased {
  readonly worker: BenchWorker;
  readonly token: Token;
}

export class Stage {
  readonly core = new PartitionCore({
    partition: P0, kinds: KINDS, keyring: new Keyring([{ id: 'bench', secret: randomBytes(SECRET_BYTES) }]),
    salts: randomSalts(),
  });
  private readonly workers = new Map<string, BenchWorker>();

  constructor() {
    this.core.replay({ nowMs: Date.now(), epoch: 1, events: [] } as never, 1);
    this.core.lead(this.moment());
  }

  /** @param at makes the nth job @returns the id of the last */
  submit(count: number, at: (nth: number) => GivenJob): JobId {
    let id = jobId(P0, randomBytes(10));
    for (let done = 0; done < count; done += AT_ONCE) {
      const jobs = Array.from({ length: Math.min(AT_ONCE, count - done) }, (_, nth) => {
        id = jobId(P0, randomBytes(10));
        return { id, job: submitJob(messages.SubmitJob.create(at(done + nth)) as messages.SubmitJob, Date.now()) };
      });
      this.step(submit, { jobs, waitMs: undefined });
      this.take();
    }
    return id;
  }

  join(name: string, capabilities: string, types: readonly string[] = ['noop']): BenchWorker {
    const identity = { workerId: parseWorkerId(name)!, session: parseSession(`${name}-session`)! };
    const worker = { ...identity, types, queues: [], capacity: AT_ONCE, software: '', capabilities, weights: {} };
    this.step(register, { proof: '', worker, partitions: 1 });
    this.take();
    const joined = this.workers.get(name) ?? { ...identity, pullSeq: 0, held: [] };
    this.workers.set(name, joined);
    return joined;
  }

  configure(queue: string, settings: object): void {
    this.step(set, set.check({ queue, settings, unset: [], reason: '', commandId: '' } as never));
    this.take();
  }

  /** @returns undefined if there was nothing for it */
  lease(worker: BenchWorker): Leased | undefined {
    const { workerId, session, held } = worker;
    const pullSeq = (worker.pullSeq += 1);
    this.step(pull, { workerId, session, partition: P0, pullSeq, free: 1, expiresMs: 1_000, held, reports: [] });
    let token: Token | undefined;
    for (const effect of this.take()) {
      if (effect.kind !== 'answer' || effect.reply !== pulledReply) continue;
      token ??= (effect.answer as Notice).leases[0]?.token;
    }
    if (token === undefined) return undefined;
    held.push(token);
    return { worker, token };
  }

  end({ worker: { workerId, session, held }, token }: Leased): void {
    held.splice(held.indexOf(token), 1);
    const outcome = { kind: 'ok', result: NULL, contentType: '' } as const;
    this.step(report, { workerId, session, partition: P0, reports: [{ token, ...parseToken(token)!, outcome }] });
    this.take();
  }

  why(id: JobId): messages.WhyReply {
    this.step(why, { target: { jobId: id } });
    const answer = this.take().find((effect) => effect.kind === 'answer');
    return (answer as { answer: messages.WhyReply }).answer;
  }

  private moment() {
    return { nowMs: Date.now(), monoMs: performance.now(), draw: 0.5 };
  }

  private step<Checked extends object>(command: Pick<Command<object, Checked>, 'decide'>, request: Checked): void {
    this.core.step(this.moment(), (step) => command.decide(step, request, { to: TO, by: 'bench' }));
  }

  private take(): Effect[] {
    const effects: Effect[] = [];
    for (let batch = this.core.take(); batch; batch = this.core.take()) effects.push(...batch.effects);
    return effects;
  }
}

const NULL = Buffer.from('null');

/** CPU time of the process, user and system, in microseconds. */
export const cpuUs = (): number => process.cpuUsage().user + process.cpuUsage().system;
