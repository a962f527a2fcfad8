/** The largest commands that are accepted: each is decided, and none writes more than its decision made room for. */
import t from 'tap';
import { cancel } from '../actors/job/commands/cancel.js';
import { submit } from '../actors/job/commands/submit.js';
import { pause } from '../actors/queue/commands/pause.js';
import { register } from '../actors/worker/commands/register.js';
import { report } from '../actors/worker/commands/report.js';
import type { Command, Context } from '../actors/command.js';
import { DEFAULTS, LIMITS } from '../protocols/limits.js';
import { first, Play, session, worker } from './play.js';

/** Three bytes of UTF-8 in one UTF-16 unit, which is where counting characters goes wrong. */
const wide = (bytes: number): string => '字'.repeat(Math.floor(bytes / 3));
const narrow = (bytes: number): string => 'x'.repeat(bytes);
const numbered = (count: number, bytes: number): string[] =>
  Array.from({ length: count }, (_, nth) => String(nth).padStart(4, '0').padEnd(bytes, 'x'));
const BY = wide(LIMITS.principalBytes);

class Largest extends Play {
  readonly context: Context = {
    partitions: 1, nowMs: this.nowMs, identity: { workerId: worker('w'), session: session('w'), proof: '' },
    drawJobId: () => this.nextId(),
  };

  /** Through the command's own check, as a request from outside. */
  request(command: Command, message: object): void {
    const checked = command.check(command.request.create(message), this.context);
    this.core.step(this.moment, (step) => command.decide(step, checked, { to: { replyTo: 'replyTo' }, by: BY }));
    this.commit();
  }
}

const BACKOFF = { listMs: Array.from({ length: LIMITS.backoffWaits }, () => LIMITS.delayMs), jitter: 1 };
const JOB = {
  type: narrow(128), queue: narrow(64), payload: Buffer.alloc(LIMITS.payloadBytes, '"'), contentType: narrow(128),
  key: wide(LIMITS.keyBytes), commandId: wide(LIMITS.commandIdBytes), delayMs: LIMITS.delayMs,
  labels: Object.fromEntries(numbered(LIMITS.labels, 64).map((name) => [name, wide(LIMITS.labelBytes)])),
  retry: {
    maxAttempts: LIMITS.maxAttempts, maxCrashes: LIMITS.maxCrashes, backoff: BACKOFF,
    nonRetryable: numbered(LIMITS.nonRetryable, LIMITS.failureCodeBytes),
  },
  timeouts: { startMs: LIMITS.delayMs, attemptMs: LIMITS.delayMs, totalMs: LIMITS.delayMs, heartbeatMs: DEFAULTS.heartbeatMs },
};

t.test('a job', async (t) => {
  const play = new Largest();
  play.request(submit, { jobs: [JOB] });
  t.equal([...play.jobs.all()].length, 1);
});

t.test('a worker', async (t) => {
  const play = new Largest();
  const lists = { types: numbered(LIMITS.typesPerWorker, 128), queues: numbered(LIMITS.queuesPerWorker, 64) };
  play.request(register, { workerId: 'w', capacity: 1, software: wide(LIMITS.softwareBytes), ...lists });
  t.equal(play.commits.length, 1);
});

t.test('a pause', async (t) => {
  const play = new Largest();
  const commandId = wide(LIMITS.commandIdBytes);
  play.request(pause, { queue: narrow(64), reason: wide(LIMITS.reasonBytes), commandId });
  t.equal(play.commits.length, 1);
});

const failure = { code: narrow(LIMITS.failureCodeBytes), message: wide(100_000), stack: wide(100_000) };
const OUTCOMES: Readonly<Record<string, object>> = {
  ok: { result: Buffer.alloc(LIMITS.payloadBytes, '"'), contentType: narrow(128) }, retry: { failure }, fail: { failure },
  cancelled: {},
};

for (const [outcome, rest] of Object.entries(OUTCOMES)) {
  t.test(`a report of ${outcome}, of a job that is being cancelled and of one that is not`, async (t) => {
    for (const isCancelled of [false, true]) {
      const play = new Largest();
      play.register('w');
      const id = play.submit({ retry: undefined } as object);
      play.pull('w', 1, 1);
      if (isCancelled) {
        play.request(cancel, { jobId: id, reason: wide(LIMITS.reasonBytes), commandId: wide(LIMITS.commandIdBytes) });
      }
      const before = play.commits.length;
      play.request(report, { partition: 0, reports: [{ token: first('w', id), outcome, ...rest }] });
      t.equal(play.commits.length, before + 1, `${isCancelled}`);
    }
  });
}
