/** Three partitions without clocks and network: what is sent arrives when a test says so, and as often. */
import { submit } from '../../actors/job/commands/submit.js';
import type { JobAnswer } from '../../actors/job/answers.js';
import type { Deliverables } from '../../actors/delivery.js';
import { KINDS } from '../../actors/kinds.js';
import type { ReplyReceiver, ReplyTo, Reply } from '../../actors/reply.js';
import type { Moment } from '../../actors/step.js';
import { PartitionCore } from '../../partition/core/core.js';
import { DELIVERY_COMMANDS, receive, settle, type Delivery, type Receiving } from '../../partition/core/deliveries.js';
import type { Effect } from '../../actors/effect.js';
import { jobIdsOf } from '../../gateways/draw-id.js';
import type { Refusal } from '../../partition/core/outbox.js';
import { job, KEYRING, salts } from '../play.js';
import type { Partition } from '../../protocols/ids.js';
import { BASE_READER, COMMIT_VERSION } from '../../streams/chain.js';
import { encodeCommit, type CommitHeader } from '../../streams/commit.js';
import { decodeCommit } from '../../streams/contents.js';
import { counters, startCounter } from './counter.js';

export const PARTITIONS = [0, 1, 2] as Partition[];
/** Jobs of this queue are refused. */
export const REFUSED = 'refused';

/** As the list of commands offers it, with the job's text as its command. */
export const deliverables: Deliverables = new Map([['job.submit', {
  decide(step, body, { by, origin, seq }) {
    const [queue = '', key = ''] = Buffer.from(body).toString().split(' ');
    const to = { replyTo: 'replyTo' } as ReplyTo;
    if (queue === REFUSED) return step.refuse(to, { code: 'UNSUPPORTED', message: `queue ${queue} takes nothing` });
    const id = jobIdsOf(origin, seq)(step.partition);
    submit.decide(step, { waitMs: undefined, jobs: [{ id, job: { ...job(), queue, key } }] }, { to, by });
  },
  refusalIn: (answer) => (answer as JobAnswer[]).find((each) => each.kind === 'refused')?.rejection,
}]]);

/** The first of a counter's commands is refused, the others submit a job each. */
export const KINDS_WITH_COUNTER = [
  ...KINDS,
  counters((id, nth) => Buffer.from(`${nth === 1 ? REFUSED : 'default'} ${id}-${nth}`)),
];

/** One partition: its journal, and the core of the leader that it has now. */
class Part {
  core: PartitionCore;
  readonly commits: Uint8Array[] = [];
  private nowMs = 1_700_000_000_000;

  constructor(readonly partition: Partition) {
    this.core = this.fresh();
    this.commits.push(encodeCommit(this.header(0), Buffer.alloc(0)));
    this.fold();
  }

  /** Another leader folds the journal; what was not committed is lost. */
  changeLeader(): void {
    this.core = this.fresh();
    this.fold();
  }

  tick(ms: number): void {
    this.nowMs += ms;
    this.core.tick(this.moment);
    this.commit();
  }

  step(decide: () => void): Effect[] {
    this.core.step(this.moment, decide);
    return this.commit();
  }

  /** A decision that is lost with its leader: it never reached the journal. */
  stepInVain(decide: () => void): void {
    this.core.step(this.moment, decide);
    this.changeLeader();
  }

  get moment(): Moment {
    return { nowMs: this.nowMs, monoMs: this.nowMs - 1_600_000_000_000, draw: 0.5 };
  }

  private fresh(): PartitionCore {
    return new PartitionCore({ partition: this.partition, kinds: KINDS_WITH_COUNTER, keyring: KEYRING, salts });
  }

  private fold(): void {
    this.commits.forEach((bytes, nth) => this.core.replay(decodeCommit(bytes), nth + 1));
    this.core.lead(this.moment);
  }

  private commit(): Effect[] {
    const effects: Effect[] = [];
    for (let batch = this.core.take(); batch; batch = this.core.take()) {
      if (batch.events.length > 0) this.commits.push(batch.body.commit(this.header(batch.nowMs, batch.neededReader)));
      effects.push(...batch.effects);
    }
    return effects;
  }

  private header(nowMs: number, neededReader = 0): CommitHeader {
    return {
      version: COMMIT_VERSION, journalId: `j${this.partition}`, partition: this.partition, epoch: 1, leaderId: 'l',
      prevSeq: this.commits.length, prevHash: new Uint8Array(), nowMs, minReader: Math.max(BASE_READER, neededReader),
    };
  }
}

export class ThreePartitions {
  readonly parts = PARTITIONS.map((partition) => new Part(partition));
  private readonly receiving: Receiving = { deliverables, broken: new Map() };

  start(at: Partition, id: string, of: Parameters<typeof startCounter>[2]): void {
    const part = this.parts[at]!;
    part.step(() => startCounter(part.core, id, of));
  }

  /** What a courier would send now. */
  next(from: Partition, to: Partition): Delivery | undefined {
    const { state } = this.parts[from]!.core;
    const pending = state.outbox.deliverable(to, this.parts[from]!.commits.length, DELIVERY_COMMANDS);
    if (pending.length === 0) return undefined;
    const commands = pending.map(({ command, body, kind, id }) => ({ command, body, by: `${kind}/${id}` }));
    return { origin: state.journalId, from, firstSeq: pending[0]!.seq, commands };
  }

  /** Received and recorded. @returns the reply, to arrive or not */
  receive(to: Partition, delivery: Delivery, inVain = false): { receivedSeq: number; refused: Refusal[] } | undefined {
    const part = this.parts[to]!;
    let reply: Reply | undefined;
    const replyTo: ReplyReceiver = { replyTo: 'replyTo', reply: (given) => void (reply = given) };
    if (inVain) return void part.stepInVain(() => receive(part.core, delivery, this.receiving, replyTo));
    for (const effect of part.step(() => receive(part.core, delivery, this.receiving, replyTo))) {
      if (effect.kind === 'answer' && effect.to === replyTo) reply = effect.reply(effect.answer, {} as never) as Reply;
    }
    return reply?.message as { receivedSeq: number; refused: Refusal[] } | undefined;
  }

  settle(from: Partition, to: Partition, reply: { receivedSeq: number; refused: Refusal[] }, inVain = false): void {
    const part = this.parts[from]!;
    const settled = (): void => settle(part.core, to, reply.receivedSeq, reply.refused);
    if (!inVain) return void part.step(settled);
    part.core.step(part.moment, settled);
    // What the courier sends before that leader ends.
    const next = this.next(from, to);
    part.changeLeader();
    if (next) this.receive(to, next);
  }
}
