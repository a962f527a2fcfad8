/** Replies that wait for actors to end. Sent after the commit with the end. The list is lost with the leader. */
import type { Effect } from '../../actors/effect.js';
import type { Actor } from '../../actors/kind.js';
import type { ReplyTo } from '../../actors/reply.js';
import type { Step } from '../../actors/step.js';

type Wait = Effect & { readonly kind: 'wait' };

interface Waiter {
  readonly wait: Wait;
  readonly answers: unknown[];
  readonly untilMonoMs: number;
  /** How many actors have not ended yet. */
  open: number;
}

export type SendReply = (wait: Wait, answers: readonly unknown[]) => void;

export class Waiters {
  private readonly byActor = new Map<string, { readonly waiter: Waiter; readonly nth: number }[]>();
  private readonly waiters = new Set<Waiter>();

  constructor(private readonly send: SendReply) {}

  add(wait: Wait, monoMs: number): void {
    const waiter: Waiter = { wait, answers: [...wait.answers], untilMonoMs: monoMs + wait.waitMs, open: 0 };
    waiter.answers.forEach((answer, nth) => {
      const id = wait.wait.awaits(answer);
      if (id === undefined) return;
      waiter.open += 1;
      const waiting = this.byActor.get(id);
      if (waiting) waiting.push({ waiter, nth });
      else this.byActor.set(id, [{ waiter, nth }]);
    });
    if (waiter.open === 0) this.send(wait, waiter.answers);
    else this.waiters.add(waiter);
  }

  ended(actor: Actor): void {
    const waiting = this.byActor.get(actor.id);
    if (waiting === undefined) return;
    this.byActor.delete(actor.id);
    for (const { waiter, nth } of waiting) {
      waiter.answers[nth] = waiter.wait.wait.ended(waiter.answers[nth], actor);
      waiter.open -= 1;
      if (waiter.open === 0 && this.waiters.delete(waiter)) this.send(waiter.wait, waiter.answers);
    }
  }

  /** Removes and returns those whose time to wait is over. The core makes their answers from the current state. */
  takeExpired(monoMs: number): { readonly to: ReplyTo; reply(step: Step): void }[] {
    const expired = [...this.waiters].filter((waiter) => waiter.untilMonoMs <= monoMs);
    return expired.map((waiter) => {
      this.drop(waiter);
      const { to, wait } = waiter.wait;
      return {
        to,
        reply: (step) => {
          const answers = waiter.answers.map((answer) => wait.current(answer, step));
          step.answer(to, (all: unknown[], releasing) => wait.reply(all, releasing), answers);
        },
      };
    });
  }

  /** The leader ends: each reply is sent with what is known, as if its time to wait were over. */
  sendAll(): void {
    const all = [...this.waiters];
    this.waiters.clear();
    this.byActor.clear();
    for (const { wait, answers } of all) this.send(wait, answers);
  }

  private drop(waiter: Waiter): void {
    this.waiters.delete(waiter);
    for (const answer of waiter.answers) {
      const id = waiter.wait.wait.awaits(answer);
      if (id === undefined) continue;
      const rest = this.byActor.get(id)?.filter((entry) => entry.waiter !== waiter);
      if (rest?.length) this.byActor.set(id, rest);
      else this.byActor.delete(id);
    }
  }
}
