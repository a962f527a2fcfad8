/** How replies wait for jobs to end, and for how long. */
import { whole } from '../../protocols/bounds.js';
import { DEFAULTS, LIMITS } from '../../protocols/limits.js';
import { jobChart } from './job.chart.js';
import type { Job } from './job.js';
import { jobKind } from './job.kind.js';
import { answerOf, type JobAnswer } from './answers.js';
import { oneJobReply, submitReply } from './replies.js';
import type { Step, WaitOf } from '../step.js';
import { lacksWorker } from './lacks-worker.js';

/** Protobuf has 0 where nothing was given. @throws Invalid */
export const checkWaitMs = (given: number): number =>
  (given === 0 ? DEFAULTS.waitMs : whole('waitMs', given, 1, LIMITS.waitMs));

export const currentAnswer = (step: Step, job: Readonly<Job>, duplicate = false): JobAnswer & { kind: 'job' } =>
  answerOf(job, duplicate, lacksWorker(step, job));

const untilEnded: Pick<WaitOf<JobAnswer>, 'awaits' | 'ended' | 'current'> = {
  awaits: (answer) => (answer.kind === 'job' && !jobChart.isFinal(answer.status) ? answer.jobId : undefined),
  ended: (answer, job) => answerOf(job as Job, isDuplicate(answer)),
  current: (answer, step) => {
    const job = answer.kind === 'job' ? step.read(jobKind).get(answer.jobId) : undefined;
    return job ? currentAnswer(step, job, isDuplicate(answer)) : answer;
  },
};

const isDuplicate = (answer: JobAnswer): boolean => answer.kind !== 'refused' && answer.duplicate;

/** For the reply of a submit. */
export const EACH_JOB: WaitOf<JobAnswer> = { ...untilEnded, reply: submitReply };
/** For the reply of a command about one job. */
export const ONE_JOB: WaitOf<JobAnswer> = {
  ...untilEnded,
  reply: ([answer], releasing) => oneJobReply(answer!, releasing),
};
