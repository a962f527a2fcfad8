/** Clients that wait for jobs to end. Told by committed facts only; the list is lost with the leader. */
import type { JobId } from '../../protocols/ids.js';
import { jobChart } from '../../actors/job/job.chart.js';
import type { Job } from '../../actors/job/job.js';
import { answerOf, type Asker, type JobAnswer } from '../core/effects.js';

interface Waiter {
  readonly to: Asker;
  readonly answers: JobAnswer[];
  readonly untilMonoMs: number;
  pending: number;
}

export type Tell = (to: Asker, answers: readonly JobAnswer[]) => void;

export class Waiters {
  private readonly byJob = new Map<JobId, { readonly waiter: Waiter; readonly nth: number }[]>();
  private readonly waiters = new Set<Waiter>();

  constructor(private readonly tell: Tell) {}

  add(to: Asker, answers: readonly JobAnswer[], untilMonoMs: number): void {
    const waiter: Waiter = { to, answers: [...answers], untilMonoMs, pending: 0 };
    answers.forEach((answer, nth) => {
      if (answer.kind !== 'job' || hasEnded(answer)) return;
      waiter.pending += 1;
      const waiting = this.byJob.get(answer.jobId);
      if (waiting) waiting.push({ waiter, nth });
      else this.byJob.set(answer.jobId, [{ waiter, nth }]);
    });
    if (waiter.pending === 0) this.tell(to, answers);
    else this.waiters.add(waiter);
  }

  ended(job: Readonly<Job>): void {
    const waiting = this.byJob.get(job.id);
    if (waiting === undefined) return;
    this.byJob.delete(job.id);
    const answer = answerOf(job);
    for (const { waiter, nth } of waiting) {
      const { duplicate } = waiter.answers[nth] as JobAnswer & { kind: 'job' };
      waiter.answers[nth] = { ...answer, duplicate };
      waiter.pending -= 1;
      if (waiter.pending === 0 && this.waiters.delete(waiter)) this.tell(waiter.to, waiter.answers);
    }
  }

  /** Whoever has waited long enough is told how things stand. @param now the answer for a job as it is now */
  expire(monoMs: number, now: (id: JobId) => (JobAnswer & { kind: 'job' }) | undefined): void {
    for (const waiter of [...this.waiters]) {
      if (waiter.untilMonoMs > monoMs) continue;
      this.drop(waiter);
      const answers = waiter.answers.map((answer) => {
        if (answer.kind !== 'job' || hasEnded(answer)) return answer;
        const current = now(answer.jobId);
        return current ? { ...current, duplicate: answer.duplicate } : answer;
      });
      this.tell(waiter.to, answers);
    }
  }

  /** The leader ends: everybody is told what is known, as if the wait were over. What they wait for is recorded. */
  tellAll(): void {
    const all = [...this.waiters];
    this.waiters.clear();
    this.byJob.clear();
    for (const waiter of all) this.tell(waiter.to, waiter.answers);
  }

  private drop(waiter: Waiter): void {
    this.waiters.delete(waiter);
    for (const answer of waiter.answers) {
      if (answer.kind !== 'job') continue;
      const rest = this.byJob.get(answer.jobId)?.filter((entry) => entry.waiter !== waiter);
      if (rest?.length) this.byJob.set(answer.jobId, rest);
      else this.byJob.delete(answer.jobId);
    }
  }
}

const hasEnded = ({ status }: JobAnswer & { kind: 'job' }): boolean => jobChart.isFinal(status);
