/** What happens to one job, as it happens: committed facts, and what its worker says of its progress. */
import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import { endsJob, hasEnded } from '../actors/job/job.view.js';
import type { JobId, Namespace } from '../protocols/ids.js';
import { journal } from '../protocols/messages.js';
import { subjects } from '../protocols/subjects.js';
import type { JobView } from './answers.js';

export type Seen =
  | { readonly kind: 'fact'; readonly fact: journal.Fact }
  | { readonly kind: 'progress'; readonly attempt: number; readonly fraction: number; readonly message: string }
  /** The last one. Facts that were lost on the way lie in the journal up to `view.lastSeq`. */
  | { readonly kind: 'ended'; readonly view: JobView };

/** Facts are told once and may be lost with a connection, so the job itself is looked at now and then. */
const LOOK_MS = 2_000;

export function watchJob(
  nc: NatsConnection, ns: Namespace, jobId: string, look: () => Promise<JobView>,
): AsyncGenerator<Seen> {
  const queue: Seen[] = [];
  const bell = new Bell();
  const listen = (subject: string, read: (message: Msg) => Seen | undefined): Subscription =>
    nc.subscribe(subject, {
      callback: (error, message) => {
        const seen = error ? undefined : attempt(() => read(message));
        if (seen) queue.push(seen);
        bell.ring();
      },
    });
  const order = new FactOrder();
  const facts = listen(subjects.event(ns, 'job', jobId, '*'), (message) => {
    const seen = factOf(message);
    return order.isLater(seen.fact) ? seen : undefined;
  });
  const progress = listen(subjects.progress(ns, jobId as JobId), progressOf);
  return watching(queue, bell, look, () => [facts, progress].forEach((each) => each.unsubscribe()));
}

async function* watching(
  queue: Seen[], bell: Bell, look: () => Promise<JobView>, stop: () => void,
): AsyncGenerator<Seen> {
  try {
    for (;;) {
      const view = await look();
      if (hasEnded(view.status)) {
        yield* queue.splice(0);
        return yield { kind: 'ended', view };
      }
      // Until a look is due again, or a fact says that the job has ended.
      for (const nextMs = performance.now() + LOOK_MS; performance.now() < nextMs; ) {
        const seen = queue.splice(0);
        yield* seen;
        if (seen.some(isEnd)) break;
        await bell.wait(nextMs - performance.now());
      }
    }
  } finally {
    stop();
  }
}

const isEnd = (seen: Seen): boolean => seen.kind === 'fact' && endsJob(seen.fact.event?.type ?? '');

/**
 * Facts come at least once, and a leader that was deposed while it slept may say late what its successor has said
 * already. Those of one partition and kind are in order by what they carry, so whatever is not later than the last one
 * is old.
 */
export class FactOrder {
  #last: readonly [epoch: number, seq: number, index: number] = [0, 0, -1];

  isLater({ epoch, seq, index }: Pick<journal.Fact, 'epoch' | 'seq' | 'index'>): boolean {
    const next = [epoch, seq, index] as const;
    const at = next.findIndex((value, nth) => value !== this.#last[nth]);
    if (at === -1 || next[at]! < this.#last[at]!) return false;
    this.#last = next;
    return true;
  }
}

function factOf(message: Msg): Extract<Seen, { kind: 'fact' }> {
  return { kind: 'fact', fact: journal.Fact.decode(message.data) as journal.Fact };
}

function progressOf(message: Msg): Seen {
  const told = message.json<{ attempt?: number; fraction?: number; message?: string }>();
  const { attempt: number, fraction, message: text } = told;
  return { kind: 'progress', attempt: number ?? 0, fraction: fraction ?? 0, message: text ?? '' };
}

/** Anybody may publish progress: what cannot be read is skipped. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  async wait(ms: number): Promise<void> {
    if (!this.#rung && ms > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.#wake = () => (clearTimeout(timer), resolve());
      });
    }
    this.#rung = false;
    this.#wake = undefined;
  }
}
