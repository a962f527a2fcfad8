/** What clients, workers and time do to a partition, drawn at random: for properties of its core. */
import fc from 'fast-check';
import { workerKind } from '../actors/worker/worker.kind.js';
import { failed, ok, Play, POLICY, session, token, worker } from './play.js';

/** Something that clients, workers and time do. */
export type Act =
  | { do: 'submit'; priority: number; delayMs: number; key: string; startMs: number; totalMs: number; attempts: number }
  | { do: 'pull'; worker: string; free: number; ends: 'ok' | 'failed' | 'none' }
  | { do: 'cancel'; nth: number }
  | { do: 'queue'; verb: 'pause' | 'resume'; queue: string }
  | { do: 'configure'; queue: string; concurrency: number; attempts: number }
  | { do: 'tick'; ms: number };

/** Many random acts, for properties. */
export const acts: fc.Arbitrary<Act> = fc.oneof(
  fc.record({
    do: fc.constant('submit' as const), priority: fc.integer({ min: 0, max: 3 }),
    delayMs: fc.constantFrom(0, 0, 0, 500), key: fc.constantFrom('', '', 'a', 'b'),
    startMs: fc.constantFrom(0, 0, 0, 1_000), totalMs: fc.constantFrom(0, 0, 5_000),
    attempts: fc.integer({ min: 1, max: 3 }),
  }),
  fc.record({
    do: fc.constant('pull' as const), worker: fc.constantFrom('w1', 'w2'), free: fc.integer({ min: 0, max: 3 }),
    ends: fc.constantFrom('ok' as const, 'failed' as const, 'none' as const),
  }),
  fc.record({ do: fc.constant('cancel' as const), nth: fc.nat(30) }),
  fc.record({
    do: fc.constant('queue' as const), verb: fc.constantFrom('pause' as const, 'resume' as const),
    queue: fc.constantFrom('other', 'another'),
  }),
  fc.record({
    do: fc.constant('configure' as const), queue: fc.constantFrom('default', 'other', 'default/'),
    concurrency: fc.integer({ min: 100, max: 102 }), attempts: fc.integer({ min: 1, max: 4 }),
  }),
  fc.record({ do: fc.constant('tick' as const), ms: fc.constantFrom(0, 100, 600, 1_500, 70_000) }),
);

/** Two workers and some clients of one partition. */
export class Actors {
  readonly play = new Play();
  private readonly pullSeq = new Map<string, number>();
  private readonly ids: string[] = [];

  constructor() {
    this.play.register('w1');
    this.play.register('w2');
  }

  act(act: Act): void {
    const { play } = this;
    if (act.do === 'submit') {
      const { priority, delayMs, key, startMs, totalMs, attempts: maxAttempts } = act;
      const over = { priority, delayMs, key, startMs, totalMs, policy: { ...POLICY, maxAttempts } };
      this.ids.push(play.submit({ ...over, ...(key && { commandId: `c-${key}` }) }));
    } else if (act.do === 'tick') play.tick(act.ms);
    else if (act.do === 'queue') {
      play.ask({ kind: act.verb, queue: act.queue, reason: '', commandId: '', by: 'client' });
    }
    else if (act.do === 'configure') {
      const { queue, concurrency, attempts: maxAttempts } = act;
      const settings = { concurrency, defaults: { retry: { maxAttempts } } };
      play.ask({ kind: 'queue.set', queue, settings, unset: [], reason: 'as needed', commandId: '', by: 'client' });
    } else if (act.do === 'cancel') {
      const jobId = (this.ids[act.nth] ?? '0-0000000000000000') as never;
      play.ask({ kind: 'cancel', target: { jobId }, reason: '', commandId: '', by: 'client' });
    } else this.pull(act);
  }

  private pull({ worker: name, free, ends }: Act & { do: 'pull' }): void {
    const { play } = this;
    if (play.core.live(workerKind).get(session(name)) === undefined) play.register(name);
    const held = [...play.jobs.all()].filter((job) => job.status === 'running' && job.workerId === worker(name))
      .map((job) => token(name, job.pullSeq, job.id, job.attempt, job.lease));
    const reports = ends === 'none' ? [] : held.map(ends === 'ok' ? ok : failed);
    const pullSeq = (this.pullSeq.get(name) ?? 0) + 1;
    this.pullSeq.set(name, pullSeq);
    play.pull(name, pullSeq, free, ends === 'none' ? held : [], reports);
  }
}
