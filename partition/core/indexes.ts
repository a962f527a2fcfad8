/** What can be derived from a partition's state and is kept beside it to be quick: rebuilt by folding, never stored. */
import type { Session } from '../../protocols/ids.js';
import type { Job } from '../../actors/job/job.js';
import { Heap } from './heap.js';
import { Lines } from './lines.js';

interface Timer {
  readonly dueMs: number;
  readonly job: Job;
}

export class Indexes {
  readonly lines = new Lines();
  readonly running = new Map<Session, Set<Job>>();
  private timers = new Heap<Timer>((a, b) => a.dueMs < b.dueMs);
  private outdated = 0;

  get runningSessions(): Iterable<Set<Job>> {
    return this.running.values();
  }

  leasesOf(session: Session): ReadonlySet<Job> | undefined {
    return this.running.get(session);
  }

  /** A job has left a status: undo what entering it did. */
  leave(job: Job): void {
    if (job.status === 'ready') this.lines.remove(job);
    else if (job.status === 'running') this.forgetLease(job);
    else if (job.dueMs > 0) this.outdated += 1;
  }

  enter(job: Job): void {
    switch (job.status) {
      case 'ready':
        this.lines.push(job);
        return;
      case 'running': {
        const held = this.running.get(job.session as Session);
        if (held) held.add(job);
        else this.running.set(job.session as Session, new Set([job]));
        return;
      }
      case 'scheduled':
      case 'retrying':
        this.timers.push({ dueMs: job.dueMs, job });
        return;
      default:
        if (job.totalDueMs > 0) this.outdated += 1;
        this.compact();
    }
  }

  /** A job with a total time-out has been submitted. */
  watchTotal(job: Job): void {
    this.timers.push({ dueMs: job.totalDueMs, job });
  }

  /** When the next timer is due; Infinity if none is. It may belong to a job that has moved on. */
  get nextDueMs(): number {
    return this.timers.peek()?.dueMs ?? Number.POSITIVE_INFINITY;
  }

  takeDue(nowMs: number): Job | undefined {
    if (this.nextDueMs > nowMs) return undefined;
    return this.timers.pop()?.job;
  }

  private forgetLease(job: Job): void {
    const held = this.running.get(job.session as Session);
    held?.delete(job);
    if (held?.size === 0) this.running.delete(job.session as Session);
  }

  /** Timers of jobs that moved on are left to come due; when they are most of the heap, it is made anew. */
  private compact(): void {
    if (this.outdated < 1_000 || this.outdated * 2 < this.timers.size) return;
    const kept = new Heap<Timer>((a, b) => a.dueMs < b.dueMs);
    for (let timer = this.timers.pop(); timer; timer = this.timers.pop()) {
      const { job, dueMs } = timer;
      if (job.endedMs === 0 && (job.dueMs === dueMs || job.totalDueMs === dueMs)) kept.push(timer);
    }
    this.timers = kept;
    this.outdated = 0;
  }
}
