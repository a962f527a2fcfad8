import t from 'tap';
import { committedOf, type Committed } from '../streams/committed.js';
import { first, ok, Play } from '../tests/play.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { journal } from '../protocols/messages.js';
import { hashOf } from '../streams/chain.js';
import { EncodedCommit } from '../streams/encoded-commit.js';
import { EventsProjection } from './events.js';
import { ProjectionRunner } from './runner.js';

const P0 = 0 as Partition;

/** A worker registers (1), a job is submitted (2), leased (3), completed (4), another is submitted (5). */
const COMMITS: readonly Committed[] = (() => {
  const play = new Play();
  play.register('w1');
  const id = play.submit();
  play.pull('w1', 1, 1);
  play.pull('w1', 2, 0, [], [ok(first('w1', id))]);
  play.submit();
  return play.commits.map((bytes, nth) => committedOf(journal.Commit.decode(bytes), P0, nth + 1, hashOf(bytes), bytes));
})();

/** The server's reply to the query for listeners, which the test sends. */
class Stage {
  readonly published: string[] = [];
  readonly checkpoints: number[] = [];
  readonly asked: { answer(listens: boolean): Promise<void>; fail(): Promise<void> }[] = [];
  readonly events: EventsProjection;
  readonly runner: ProjectionRunner;
  /** Whether the lease is valid. */
  mayPublish = true;

  constructor() {
    const ask = (): Promise<boolean> => new Promise((resolve, reject) => {
      const heard = (): Promise<void> => new Promise((done) => setImmediate(done));
      this.asked.push({
        answer: (listens) => (resolve(listens), heard()), fail: () => (reject(new Error('late')), heard()),
      });
    });
    this.events = new EventsProjection({
      ns: 'default' as Namespace,
      publish: (subject, parts) =>
        this.published.push(`${journal.Fact.decode(Buffer.concat(parts)).seq} ${subject.split('.').at(-1)}`),
      hasListener: ask, mayPublish: () => this.mayPublish, onSettled: ({ seq }) => this.checkpoints.push(seq),
    });
    this.runner = new ProjectionRunner(P0, [this.events]);
    this.events.lead();
  }

  follow(...seqs: number[]): void {
    for (const seq of seqs) this.runner.follow(COMMITS[seq - 1]!);
  }

  /** There is no listener, and the server has said so once. */
  static async quiet(): Promise<Stage> {
    const stage = new Stage();
    stage.follow(1);
    await stage.asked[0]!.answer(false);
    stage.published.length = 0;
    return stage;
  }
}

/** The pause between questions is real time; the test waits for what follows it, not for the time. */
async function askedTimes(stage: Stage, times: number): Promise<void> {
  while (stage.asked.length < times) await new Promise((done) => setTimeout(done, 5));
}

t.test('until the server has said that there is no listener, facts are published', (t) => {
  const stage = new Stage();
  stage.follow(1, 2, 3);
  t.same(stage.published, ['1 WorkerRegistered', '2 JobSubmitted', '3 JobLeased']);
  t.same(stage.checkpoints, [1, 2, 3]);
  t.end();
});

t.test('while there is no listener, facts of jobs are not published, and the checkpoint follows the answers', async (t) => {
  const stage = await Stage.quiet();
  stage.follow(2, 3);
  t.same(stage.checkpoints, [1], 'whether a listener came before these is not known yet');
  await askedTimes(stage, 2);
  await stage.asked[1]!.answer(false);
  stage.follow(4);
  t.same(stage.published, []);
  t.equal(stage.checkpoints.at(-1), 3);
});

t.test('facts of other kinds are always published: workers wait for a new leader’s', async (t) => {
  const stage = await Stage.quiet();
  const register = COMMITS[0]!;
  const again = { ...register, seq: 6, hash: new Uint8Array(32) };
  stage.follow(2, 3, 4, 5);
  stage.runner.follow(again);
  t.same(stage.published, ['6 WorkerRegistered']);
});

t.test('given a listener came, what was committed since there was none is published, in order', async (t) => {
  const stage = await Stage.quiet();
  stage.follow(2);
  await askedTimes(stage, 2);
  stage.follow(3, 4);
  await stage.asked[1]!.answer(true);
  t.same(stage.published, ['2 JobSubmitted', '3 JobLeased', '4 JobCompleted']);
  stage.follow(5);
  t.same(stage.published.slice(3), ['5 JobSubmitted']);
  t.equal(stage.checkpoints.at(-1), 5);
});

t.test('given the answer is none, what was committed after the query is kept for the next one', async (t) => {
  const stage = await Stage.quiet();
  stage.follow(2);
  await askedTimes(stage, 2);
  stage.follow(3, 4);
  await stage.asked[1]!.answer(false);
  await askedTimes(stage, 3);
  await stage.asked[2]!.answer(true);
  t.same(stage.published, ['3 JobLeased', '4 JobCompleted']);
});

t.test('given the server does not answer, there may be a listener', async (t) => {
  const stage = await Stage.quiet();
  stage.follow(2);
  await askedTimes(stage, 2);
  await stage.asked[1]!.fail();
  t.same(stage.published, ['2 JobSubmitted']);
});

t.test('given more than may be kept, the oldest is published to whomever', async (t) => {
  const stage = await Stage.quiet();
  const large = 9 * 1024 * 1024;
  const padded = (seq: number): Committed => {
    const { bytes } = COMMITS[seq - 1]!;
    const { hashedBytes } = new EncodedCommit(bytes);
    const parts = [bytes.subarray(0, hashedBytes), padding(large), bytes.subarray(hashedBytes)];
    return { ...COMMITS[seq - 1]!, bytes: Buffer.concat(parts) };
  };
  for (const seq of [2, 3, 4]) stage.runner.follow(padded(seq));
  t.same(stage.published, ['2 JobSubmitted', '3 JobLeased']);
  t.equal(stage.checkpoints.at(-1), 3);
});

t.test('until this broker leads, what is replayed is held, and then published in order', async (t) => {
  const stage = new Stage();
  stage.events.follow();
  stage.follow(1, 2, 3);
  t.same(stage.published, [], 'another broker may lead still');
  t.same(stage.checkpoints, []);
  stage.events.lead();
  t.same(stage.published, ['1 WorkerRegistered', '2 JobSubmitted', '3 JobLeased']);
  t.same(stage.checkpoints, [1, 2, 3]);
});

t.test('while the lease is in doubt, facts are held; once it is valid again, they are published in order, without a commit', async (t) => {
  const stage = new Stage();
  stage.follow(1);
  stage.mayPublish = false;
  stage.follow(2, 3);
  t.same(stage.published, ['1 WorkerRegistered']);
  stage.mayPublish = true;
  while (stage.published.length < 3) await new Promise((done) => setTimeout(done, 5));
  t.same(stage.published, ['1 WorkerRegistered', '2 JobSubmitted', '3 JobLeased']);
});

t.test('given leadership is lost, what was held or kept is dropped: the next leader publishes it from the checkpoint on', async (t) => {
  const stage = await Stage.quiet();
  stage.follow(2);
  stage.mayPublish = false;
  stage.follow(3, 4);
  stage.events.follow();
  stage.mayPublish = true;
  stage.events.lead();
  t.same(stage.checkpoints, [1], 'and the checkpoint stays');
  stage.follow(5);
  await askedTimes(stage, 2);
  await stage.asked[1]!.answer(true);
  t.same(stage.published, ['5 JobSubmitted']);
});

t.test('given a listener came while the leadership is in doubt, what was kept waits', async (t) => {
  const stage = await Stage.quiet();
  stage.follow(2);
  stage.mayPublish = false;
  await askedTimes(stage, 2);
  await stage.asked[1]!.answer(true);
  t.same(stage.published, []);
  stage.mayPublish = true;
  stage.follow(3);
  t.same(stage.published, ['2 JobSubmitted', '3 JobLeased'], 'and is not overtaken');
});

/** An unknown field, which readers pass over. */
function padding(bytes: number): Uint8Array {
  return Buffer.concat([Buffer.from([0xfa, 0x3f, ...varint(bytes)]), Buffer.alloc(bytes)]);
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...varint(value >>> 7)];
}
