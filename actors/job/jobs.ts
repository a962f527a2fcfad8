/** The jobs in the state of a partition, and their indexes. Ended jobs leave it after a while. */
import type { JobId, Session } from '../../protocols/ids.js';
import type { ActorEvent, Store } from '../kind.js';
import { jobChart } from './job.chart.js';
import type { Job } from './job.js';
import type { JobBodies } from './job.events.js';
import { jobOf, placesOf, viewOfJob, type JobPlaces, type JobState } from './canonical.js';
import { keyName, Keys } from './keys.js';
import { Lines, type LinesReading } from './lines.js';

/** How long ended jobs stay, by the time of the commits, so that every replay forgets the same. */
const ENDED = {
  /** At least as many stay, however old. */
  jobs: 5_000,
  ms: 60_000,
} as const;

type JobsView = ReturnType<Keys['view']> & { readonly jobs: JobState[]; readonly ended: [JobId, number][] };
type JobsPlaces = Readonly<Record<string, JobPlaces>>;

/** What steps may read. */
export interface JobsReading {
  readonly size: number;
  get(id: string): Readonly<Job> | undefined;
  all(): Iterable<Readonly<Job>>;
  readonly lines: LinesReading;
  readonly keys: Pick<Keys, 'find' | 'isFull'>;
  leasesOf(session: Session): ReadonlySet<Readonly<Job>> | undefined;
  /** The running jobs of each session. */
  readonly runningSessions: Iterable<ReadonlySet<Readonly<Job>>>;
}

export class Jobs implements Store<Job>, JobsReading {
  readonly lines = new Lines();
  readonly keys = new Keys();
  private byId = new Map<string, Job>();
  private readonly running = new Map<Session, Set<Job>>();
  /** Ended jobs, oldest first, as [id, endedMs]; those before `endedHead` have left. */
  private ended: [JobId, number][] = [];
  private endedHead = 0;

  get size(): number {
    return this.byId.size;
  }

  get(id: string): Job | undefined {
    return this.byId.get(id);
  }

  all(): Iterable<Readonly<Job>> {
    return this.byId.values();
  }

  get runningSessions(): Iterable<ReadonlySet<Job>> {
    return this.running.values();
  }

  leasesOf(session: Session): ReadonlySet<Job> | undefined {
    return this.running.get(session);
  }

  leave(job: Job): void {
    switch (job.status) {
      case 'ready':
        return this.lines.remove(job);
      case 'running':
        this.lines.lineOf(job).running -= 1;
        return this.forgetLease(job);
      case 'scheduled':
      case 'retrying':
        this.lines.lineOf(job)[job.status] -= 1;
    }
  }

  enter(job: Job, isNew: boolean, event: ActorEvent): void {
    if (isNew) this.add(job, event);
    switch (job.status) {
      case 'ready':
        return this.lines.push(job);
      case 'running':
        this.lines.lineOf(job).running += 1;
        return this.holdLease(job);
      case 'scheduled':
      case 'retrying':
        this.lines.lineOf(job)[job.status] += 1;
        return;
      default:
        this.end(job);
    }
  }

  begin(nowMs: number): void {
    const { ended } = this;
    while (this.endedHead < ended.length) {
      const [id, endedMs] = ended[this.endedHead]!;
      if (ended.length - this.endedHead <= ENDED.jobs && endedMs + ENDED.ms >= nowMs) break;
      this.byId.delete(id);
      this.endedHead += 1;
    }
    if (this.endedHead > ENDED.jobs) {
      ended.splice(0, this.endedHead);
      this.endedHead = 0;
    }
    this.keys.forget(nowMs);
    this.lines.forget(nowMs);
  }

  view(): object {
    const jobs = [...this.byId.values()].map(viewOfJob);
    return { jobs, ended: this.ended.slice(this.endedHead), ...this.keys.view() };
  }

  places(): object {
    return Object.fromEntries([...this.byId.values()].map((job) => [job.id, placesOf(job)]));
  }

  restore(view: JobsView, places: JobsPlaces): void {
    const { jobs, ended, keys, pastKeys } = structuredClone(view);
    this.keys.restore({ keys, pastKeys });
    this.ended = ended;
    for (const of of jobs) {
      const job = jobOf(of, places[of.id] ?? {});
      this.byId.set(job.id, job);
      if (!jobChart.isFinal(job.status)) this.enter(job, false, RESTORED);
    }
  }

  private add(job: Job, { body }: ActorEvent): void {
    this.byId.set(job.id, job);
    if (job.key === '') return;
    const { fingerprint } = body as JobBodies['JobSubmitted'];
    this.keys.remember(keyName(job.queue, job.key), job.id, Buffer.from(fingerprint ?? []).toString('hex'));
  }

  private end(job: Job): void {
    this.ended.push([job.id, job.endedMs]);
    if (job.key !== '') this.keys.retire(keyName(job.queue, job.key), job.endedMs);
  }

  private holdLease(job: Job): void {
    const session = job.session as Session;
    const held = this.running.get(session);
    if (held) held.add(job);
    else this.running.set(session, new Set([job]));
  }

  private forgetLease(job: Job): void {
    const session = job.session as Session;
    const held = this.running.get(session);
    held?.delete(job);
    if (held?.size === 0) this.running.delete(session);
  }
}

const RESTORED: ActorEvent = { type: '', body: { status: '' } };
