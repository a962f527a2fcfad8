/**
 * Workers that differ and change, jobs of mixed requirements, failures, cancels, pauses, limits that are changed while
 * running, crashes of worker processes and kill -9 of the broker: every job has one final status, and order, limits and
 * requirements hold at every lease, as a checker finds from the journal alone. REPRISE_FLEET_JOBS, _WORKERS and _KILLS
 * make it longer (60000, 200, 5); REPRISE_SEED determines what is done when.
 */
import { setTimeout as wait } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { eventually, random, Reprise } from '../broker.js';
import { Checker } from '../fleet/checker.js';
import { readEvents } from '../fleet/events.js';
import { jobOf, QUEUES } from '../fleet/jobs.js';
import { Child } from '../processes.js';
import { Stranger, type Body } from '../stranger.js';

const JOBS = Number(process.env['REPRISE_FLEET_JOBS'] ?? 3_000);
const WORKERS = Number(process.env['REPRISE_FLEET_WORKERS'] ?? 60);
const KILLS = Number(process.env['REPRISE_FLEET_KILLS'] ?? 1);
const SEED = Number(process.env['REPRISE_SEED'] ?? 20_261_127);
const PROCESSES = 3;
const BATCH = 50;
const OUTSTANDING = 6;
const LONGEST_MS = 60_000 + 20 * JOBS;

t.setTimeout(2 * LONGEST_MS);

class Fleet {
  readonly ids: string[] = [];
  private readonly draw = random(SEED);
  private readonly processes: Child[] = [];
  private isOver = false;

  constructor(private readonly reprise: Reprise, private readonly client: Stranger) {}

  async start(): Promise<void> {
    await this.reprise.startChild();
    for (let nth = 0; nth < PROCESSES; nth += 1) this.processes[nth] = await this.process(nth);
  }

  /** Several requests at a time, so that many jobs wait. */
  async submit(): Promise<void> {
    let from = 0;
    const batches = async (): Promise<void> => {
      for (let at = from; at < JOBS; at = from) {
        from += BATCH;
        await this.batch(Array.from({ length: Math.min(BATCH, JOBS - at) }, (_, nth) => jobOf(at + nth, this.draw)));
      }
    };
    await Promise.all(Array.from({ length: OUTSTANDING }, batches));
  }

  private async batch(jobs: readonly Body[]): Promise<void> {
    // A paused queue refuses: again, when it is open.
    for (let missing = jobs; missing.length > 0; await wait(20)) {
      const { body } = await this.client.patient('job.submit', { jobs: missing }, 300);
      const answers = body['jobs'] as { jobId?: string }[];
      for (const { jobId } of answers) if (jobId) this.ids.push(jobId);
      missing = missing.filter((_, nth) => !answers[nth]!.jobId);
    }
  }

  /** Changes limits, pauses, resumes and cancels, until all is over. */
  async disturb(): Promise<void> {
    while (!this.isOver) {
      await wait(50);
      const [draw, queue] = [this.draw(), QUEUES[Math.floor(this.draw() * QUEUES.length)]!];
      const id = this.ids[Math.floor(this.draw() * this.ids.length)];
      if (draw < 0.35 && id) await this.ask('job.cancel', { jobId: id, reason: 'disturbed' });
      else if (draw < 0.7) await this.ask('queue.set', { queue: this.draw() < 0.3 ? 'fleet/' : queue, ...this.settings() });
      else if (draw < 0.8) await this.paused(this.draw() < 0.2 ? 'fleet/' : queue);
    }
  }

  /** Kills each of the processes of workers in turn, and the broker. */
  async kill(): Promise<void> {
    for (let nth = 0; nth < KILLS && !this.isOver; nth += 1) {
      await eventually(() => this.isOver || this.ids.length >= (JOBS * (nth + 1)) / (KILLS + 2), LONGEST_MS, 50);
      const of = nth % PROCESSES;
      await this.processes[of]!.kill();
      this.processes[of] = await this.process(of);
      await this.reprise.children.at(-1)!.kill();
      await this.reprise.startChild();
    }
  }

  async end(): Promise<void> {
    this.isOver = true;
    await Promise.all(this.processes.map((each) => each.kill()));
  }

  async drained(): Promise<void> {
    await eventually(async () => {
      const { body, code } = await this.client.patient('queue.stats', { queue: 'fleet/' }, 300);
      const left = ['ready', 'scheduled', 'running', 'retrying'].map((status) => Number(body[status] ?? 0));
      return code === '' && left.every((count) => count === 0);
    }, LONGEST_MS, 200);
  }

  private process(nth: number): Promise<Child> {
    const each = Math.ceil(WORKERS / PROCESSES);
    return Child.start('fleet/workers-process.ts', {
      FLEET_URL: this.reprise.url, FLEET_NAMESPACE: this.reprise.ns,
      FLEET_FIRST: String(nth * each), FLEET_COUNT: String(each),
    });
  }

  private settings(): Body {
    const [kind, most] = [this.draw(), 4 + Math.floor(this.draw() * 20)];
    if (kind < 0.2) return { unset: ['concurrency', 'perKey'] };
    if (kind < 0.6) return { settings: { concurrency: 2 * most } };
    return { settings: { perKey: { label: 'tenant', concurrency: most, byType: kind > 0.8 } } };
  }

  private async paused(queue: string): Promise<void> {
    await this.ask('queue.pause', { queue, reason: 'disturbed' });
    await wait(150);
    await this.ask('queue.resume', { queue, reason: 'disturbed' });
  }

  private async ask(subject: string, body: Body): Promise<void> {
    await this.client.patient(subject, body, 300);
  }
}

async function verify(t: Test, client: Stranger, ids: readonly string[]): Promise<void> {
  const checker = new Checker();
  const events = await readEvents(client, 0);
  for (const event of events) checker.follow(event);
  const count = (type: string): number => events.filter((event) => event.type === type).length;
  t.comment(`${events.length} events, ${checker.leases} leases, ${checker.filled} of them filled a limit; `
    + ['JobRetryScheduled', 'JobReclaimed', 'JobCancelled', 'QueueConfigured', 'QueuePaused', 'WorkerRegistered']
      .map((type) => `${type}: ${count(type)}`).join(', '));
  t.strictSame(checker.complaints.slice(0, 10), [], 'order, limits, pauses and requirements hold at every lease');
  t.equal(checker.complaints.length, 0);
  t.equal(new Set(ids).size, JOBS, 'all jobs were acknowledged');
  t.strictSame(ids.filter((id) => !checker.jobs.has(id)).slice(0, 5), [], 'and are in the journal');
  t.equal(checker.jobs.size, JOBS, 'and no other ones');
  t.strictSame([...checker.jobs.values()].filter(({ finals }) => finals !== 1).slice(0, 5), [], 'each has one final status');
  for (const type of ['JobRetryScheduled', 'JobReclaimed', 'JobCancelled', 'QueueConfigured', 'QueuePaused']) {
    t.ok(count(type) > 0, `${type} happened`);
  }
  t.ok(checker.filled > 100, 'limits were full');
}

t.test(`${WORKERS} workers, ${JOBS} jobs, ${KILLS} kills of broker and workers, seed ${SEED}`, async (t) => {
  const reprise = await Reprise.start(t, { brokers: 0 });
  const client = await Stranger.connect(reprise);
  const fleet = new Fleet(reprise, client);
  t.teardown(async () => {
    await fleet.end();
    await client.close();
  });
  const startMs = performance.now();
  await fleet.start();
  t.comment(`started after ${Math.round(performance.now() - startMs)} ms`);
  const disturbed = fleet.disturb();
  await Promise.all([fleet.submit(), fleet.kill()]);
  t.comment(`submitted after ${Math.round(performance.now() - startMs)} ms`);
  await fleet.drained();
  await fleet.end();
  await disturbed;
  t.comment(`drained after ${Math.round(performance.now() - startMs)} ms`);
  await verify(t, client, fleet.ids);
});
