/**
 * Checks a journal against what is promised of order, limits and requirements. It is written from docs/queues.md and
 * docs/matching.md alone, for the requirements and settings of these tests, and shares no code with the leader.
 */
import { createHash } from 'node:crypto';
import type { Body } from '../stranger.js';
import type { JournalEvent } from './events.js';
import { Ready, type Waiting } from './ready.js';

const FINAL: readonly unknown[] = ['completed', 'failed', 'cancelled', 'expired', 'unworkable'];

interface Job extends Waiting {
  status: string;
  finals: number;
}
interface Worker {
  readonly session: string;
  readonly types: readonly string[];
  readonly capabilities: Body;
  readonly number: number;
}
interface Limit {
  readonly concurrency?: number;
  readonly perKey?: Limit & { readonly byType?: boolean };
}

export class Checker {
  readonly complaints: string[] = [];
  readonly jobs = new Map<string, Job>();
  leases = 0;
  /** Leases that were given when a limit of theirs had no room after them: that limits were at work. */
  filled = 0;
  private readonly ready = new Ready();
  private readonly workers = new Map<string, Worker>();
  private readonly settings = new Map<string, Limit>();
  private readonly paused = new Set<string>();
  private readonly running = new Map<string, number>();
  private readonly matched = new Map<string, boolean>();

  follow(event: JournalEvent): void {
    const { kind, id, type, body } = event;
    if (kind === 'queue') this.queue(id, type, body);
    if (kind === 'worker') this.worker(id, type, body);
    if (kind === 'job') this.job(event);
  }

  private queue(id: string, type: string, body: Body): void {
    if (type === 'QueueConfigured') this.settings.set(id, (body['settings'] ?? {}) as Limit);
    if (type === 'QueuePaused') this.paused.add(id);
    if (type === 'QueueResumed') this.paused.delete(id);
  }

  private worker(id: string, type: string, body: Body): void {
    if (type !== 'WorkerRegistered') return void (type === 'WorkerGone' && this.workers.delete(id));
    const text = body['capabilities'] as string;
    const number = text === '' ? 0 : createHash('sha256').update(text).digest().readUInt32BE(0);
    const capabilities = JSON.parse(text || '{}') as Body;
    const [session, types] = [body['session'] as string, body['types'] as string[]];
    this.workers.set(id, { session, types, capabilities, number });
  }

  private job(event: JournalEvent): void {
    const { id, type, body } = event;
    if (type === 'JobSubmitted') return this.submitted(id, body);
    const job = this.jobs.get(id);
    if (job === undefined) return this.complain(event, 'is of an unknown job');
    if (job.finals > 0) this.complain(event, 'follows its end');
    if (type === 'JobLeased') this.leased(event, job);
    if (job.status === 'ready') this.ready.remove(job);
    if (job.status === 'running') this.count(job, -1);
    job.status = body['status'] as string;
    if (job.status === 'running') this.count(job, 1);
    if (job.status === 'ready') this.ready.add(job);
    if (FINAL.includes(job.status)) job.finals += 1;
    if (type === 'JobLeased') this.checkRoom(event, job);
  }

  private submitted(id: string, body: Body): void {
    const tenant = ((body['labels'] ?? {}) as Record<string, string>)['tenant'] ?? '';
    const [type, queue, require] = [body['jobType'], body['queue'], body['require']] as [string, string, string];
    const job: Job = {
      type, queue, require, tenant, priority: body['priority'] as number, place: this.jobs.size,
      status: body['status'] as string, finals: 0,
    };
    this.jobs.set(id, job);
    this.ready.add(job);
  }

  /** Before it is folded. */
  private leased(event: JournalEvent, job: Job): void {
    const { body } = event;
    this.leases += 1;
    if (job.status !== 'ready') this.complain(event, `is of a job that is ${job.status}`);
    const worker = this.workers.get(body['workerId'] as string);
    if (worker?.session !== body['session']) return this.complain(event, 'is to a worker that is not registered');
    if (worker === undefined) return;
    if (worker.number !== body['capabilities']) this.complain(event, 'names other capabilities than are recorded');
    if (!this.canDo(worker, job)) this.complain(event, 'is forbidden by the recorded capabilities');
    if (this.isPaused(job.queue)) this.complain(event, `is from ${job.queue}, which is paused`);
    for (const first of this.ready.firsts()) {
      if (first === job || !goesBefore(first, job)) continue;
      if (!this.isPaused(first.queue) && this.hasRoom(first) && this.canDo(worker, first)) {
        this.complain(event, `overtakes place ${first.place} of ${first.queue}, which the worker can do`);
      }
    }
  }

  private isPaused(queue: string): boolean {
    return this.paused.has(queue) || this.paused.has(groupOf(queue));
  }

  private limitsOf(job: Waiting): { readonly name: string; readonly most: number }[] {
    return [groupOf(job.queue), job.queue].flatMap((scope) => {
      const { concurrency = 0, perKey } = this.settings.get(scope) ?? {};
      const all = concurrency > 0 ? [{ name: scope, most: concurrency }] : [];
      if (!perKey?.concurrency || job.tenant === '') return all;
      const name = perKey.byType ? `${scope} ${job.tenant} ${job.type}` : `${scope} ${job.tenant}`;
      return [...all, { name, most: perKey.concurrency }];
    });
  }

  private hasRoom(job: Waiting): boolean {
    return this.limitsOf(job).every(({ name, most }) => (this.running.get(name) ?? 0) < most);
  }

  private checkRoom(event: JournalEvent, job: Job): void {
    for (const { name, most } of this.limitsOf(job)) {
      const now = this.running.get(name) ?? 0;
      if (now > most) this.complain(event, `makes ${now} of ${most} in ${name}`);
      if (now === most) this.filled += 1;
    }
  }

  private count({ queue, tenant, type }: Job, by: number): void {
    for (const scope of [groupOf(queue), queue]) {
      for (const name of [scope, `${scope} ${tenant}`, `${scope} ${tenant} ${type}`]) {
        this.running.set(name, (this.running.get(name) ?? 0) + by);
      }
    }
  }

  private canDo(worker: Worker, { type, require }: Waiting): boolean {
    if (!worker.types.includes(type)) return false;
    const name = `${worker.number} ${require}`;
    let met = this.matched.get(name);
    if (met === undefined) {
      met = meets(JSON.parse(require || '{}') as Body, worker.capabilities);
      this.matched.set(name, met);
    }
    return met;
  }

  private complain({ seq, type, id }: JournalEvent, what: string): void {
    this.complaints.push(`${seq}: ${type} of ${id} ${what}`);
  }
}

const groupOf = (queue: string): string => `${queue.split('/')[0]}/`;

const goesBefore = (a: Waiting, b: Waiting): boolean =>
  (a.priority === b.priority ? a.place < b.place : a.priority > b.priority);

/** Of models all, of the numbers of the hardware at least, not the region. */
function meets(require: Body, has: Body): boolean {
  const models = (require['models'] ?? []) as string[];
  const hardware = Object.entries((require['hardware'] ?? {}) as Record<string, number>);
  const not = (require['not'] ?? {}) as { region?: string };
  return models.every((model) => ((has['models'] ?? []) as string[]).includes(model))
    && hardware.every(([name, least]) => (((has['hardware'] ?? {}) as Record<string, number>)[name] ?? -1) >= least)
    && (not.region === undefined || has['region'] !== not.region);
}
