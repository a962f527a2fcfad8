/**
 * No acknowledged job is lost and every job ends once, while workers, the broker and the server are killed at random
 * times under load. The replies to the client are compared with the raw journal. REPRISE_CHAOS_KILLS is the number of
 * kills of each, REPRISE_SEED determines the times.
 */
import { setTimeout as wait } from 'node:timers/promises';
import t from 'tap';
import { eventually, random, Reprise } from '../broker.js';
import { FINAL, readHistories } from '../histories.js';
import { Child } from '../processes.js';
import { Stranger } from '../stranger.js';
import { Submitter } from '../submitter.js';

const KILLS = Number(process.env['REPRISE_CHAOS_KILLS'] ?? 2);
const SEED = Number(process.env['REPRISE_SEED'] ?? 20_260_802);
const PER_SECOND = 2_500;
const WORKERS = 2;
const JOB = {
  type: 'double',
  timeouts: { heartbeatMs: 1_000 },
  retry: { maxAttempts: 100, maxCrashes: 100, backoff: { initialMs: 50, maxMs: 500 } },
};

t.setTimeout(150_000 + 40_000 * KILLS);

t.test(`${KILLS} kills each of a worker, the broker and the server, seed ${SEED}`, async (t) => {
  const reprise = await Reprise.start(t, { brokers: 0 });
  const client = await Stranger.connect(reprise);
  const starting = Array.from({ length: WORKERS }, () => Child.worker(reprise.url, reprise.ns));
  const [, ...workers] = await Promise.all([reprise.startChild(), ...starting]);
  const submitter = new Submitter(client, JOB);
  t.teardown(async () => {
    submitter.abandon();
    await Promise.all(workers.map((worker) => worker.kill()));
    await client.close();
  });

  const startMs = performance.now();
  submitter.start(PER_SECOND);
  const rates: number[] = [];
  await eventually(async () => {
    const before = submitter.acknowledged.size;
    await wait(1_000);
    return rates.push(submitter.acknowledged.size - before) && rates.at(-1)! >= 2_000;
  }, 15_000).catch(() => {});
  t.ok(rates.at(-1)! >= 2_000, `submits acknowledged per second before the first kill: ${rates.join(', ')}`);

  const draw = random(SEED);
  const victims = Array.from({ length: KILLS }, () => ['worker', 'broker', 'server'] as const).flat();
  for (const victim of shuffled(victims, draw)) {
    await recovered(submitter);
    await wait(200 + 1_000 * draw());
    const atMs = Math.round(performance.now() - startMs);
    t.comment(`${atMs} ms: the ${victim} is killed, ${submitter.acknowledged.size} jobs acknowledged`);
    await kill(victim, reprise, workers, draw);
  }
  await wait(1_000);
  const submitted = await submitter.finish(40_000);
  const { acknowledged, complaints, refusals } = submitter;
  const tookMs = Math.round(performance.now() - startMs);
  t.comment(`${submitted} submitted in ${tookMs} ms; refused or unanswered: ${JSON.stringify([...refusals])}`);
  t.strictSame(complaints.slice(0, 5), [], 'repeated commands get equal replies');
  t.equal(acknowledged.size, submitted, 'every job is acknowledged in the end');

  const histories = await eventually(async () => {
    const read = await readHistories(client, 1);
    return [...read.jobs.values()].every((job) => FINAL.includes(job.status ?? '')) && read;
  }, 60_000, 1_000).catch(() => readHistories(client, 1));
  t.strictSame(histories.complaints.slice(0, 5), [], 'all histories fold, on one chain');
  t.equal(histories.foreign, 0);
  const lost = [...acknowledged].filter(([, id]) => !histories.jobs.has(id));
  t.strictSame(lost.slice(0, 5), [], 'every acknowledged job is in the journal');
  t.equal(histories.jobs.size, submitted, 'and no job is there twice');
  const finals = [...histories.jobs.values()].map(({ events }) => {
    return events.filter(({ body }) => FINAL.includes(String(body['status']))).length;
  });
  t.equal(finals.filter((n) => n !== 1).length, 0, 'each has one final status');
  const completed = [...histories.jobs.values()].filter((job) => job.status === 'completed').length;
  const written = `${histories.commits} commits, epoch ${histories.epochs}`;
  t.comment(`${completed} completed of ${histories.jobs.size}; ${written}`);
  const wrong = [...histories.jobs.values()].filter(({ status, commandId, events }) =>
    status === 'completed' && String(events.at(-1)!.body['result']) !== String(2 * Number(commandId.slice(2))));
  t.strictSame(wrong.slice(0, 3), [], 'and each result is that of its own payload');
});

/** Waits until jobs are acknowledged again, so that the next kill happens under load. */
async function recovered(submitter: Submitter): Promise<void> {
  const before = submitter.acknowledged.size;
  await eventually(() => submitter.acknowledged.size >= before + 1_000, 20_000);
}

async function kill(
  victim: 'worker' | 'broker' | 'server',
  reprise: Reprise,
  workers: Child[],
  draw: () => number,
): Promise<void> {
  switch (victim) {
    case 'worker': {
      const nth = Math.floor(draw() * workers.length);
      await workers[nth]!.kill();
      workers[nth] = await Child.worker(reprise.url, reprise.ns);
      return;
    }
    case 'broker':
      await reprise.children.at(-1)!.kill();
      await reprise.startChild();
      return;
    case 'server':
      await reprise.killServer(300 * draw());
  }
}

function shuffled<T>(list: readonly T[], draw: () => number): T[] {
  return list.map((each) => [draw(), each] as const).sort(([a], [b]) => a - b).map(([, each]) => each);
}
