/** Watches one job: its committed facts, and the progress that its worker reports. */
import type { Msg, NatsConnection, Subscription } from '@nats-io/nats-core';
import { endsJob, hasEnded } from '../actors/job/job.view.js';
import type { JobId, Namespace } from '../protocols/ids.js';
import { journal } from '../protocols/messages.js';
import { subjects } from '../protocols/subjects.js';
import type { JobView } from './replies.js';

export type Seen =
  | { readonly kind: 'fact'; readonly fact: journal.Fact }
  | { readonly kind: 'progress'; readonly attempt: number; readonly fraction: number; readonly message: string }
  /** Always the last one. Facts that were not received are in the journal, up to `view.lastSeq`. */
  | { readonly kind: 'ended'; readonly view: JobView };

/** Facts may be lost with a connection, so the job is also polled. */
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
      // Until the next poll is due, or a fact ends the job.
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
 * Facts are delivered at least once, and a leader that was deposed while it was suspended may publish facts that its
 * successor has published already. Facts of one partition and kind are ordered by (epoch, seq, index), so a fact that
 * is not later than the last one is dropped.
 */
export class FactOrder {
  private last: readonly [epoch: number, seq: number, index: number] = [0, 0, -1];

  isLater({ epoch, seq, index }: Pick<journal.Fact, 'epoch' | 'seq' | 'index'>): boolean {
    const next = [epoch, seq, index] as const;
    const at = next.findIndex((value, nth) => value !== this.last[nth]);
    if (at === -1 || next[at]! < this.last[at]!) return false;
    this.last = next;
    return true;
  }
}

function factOf(message: Msg): Extract<Seen, { kind: 'fact' }> {
  return { kind: 'fact', fact: journal.Fact.decode(message.data) as journal.Fact };
}

function progressOf(message: Msg): Seen {
  const progress = message.json<{ attempt?: number; fraction?: number; message?: string }>();
  const { attempt: number, fraction, message: text } = progress;
  return { kind: 'progress', attempt: number ?? 0, fraction: fraction ?? 0, message: text ?? '' };
}

/** Any user may publish on the subject of progress, so a message that cannot be read is skipped. */
function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

class Bell {
  private rung = false;
  private wake: (() => void) | undefined;

  ring(): void {
    this.rung = true;
    this.wake?.();
  }

  async wait(ms: number): Promise<void> {
    if (!this.rung && ms > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, ms);
        this.wake = () => (clearTimeout(timer), resolve());
      });
    }
    this.rung = false;
    this.wake = undefined;
  }
}
