import { reject } from '../../../protocols/errors.js';
import type { Command } from '../../inputs.js';
import type { Step } from '../../step.js';
import { currentAnswer, ONE_JOB } from '../waits.js';
import { describe, findJob } from '../find.js';

export function awaitJob(step: Step, { to, target, waitMs }: Extract<Command, { kind: 'await' }>): void {
  const found = findJob(step, target);
  if (found === undefined) return step.refuse(to, reject('NOT_FOUND', `no ${describe(target)}`));
  const answer = found.kind === 'job' ? currentAnswer(step, found.job) : { ...found, duplicate: false };
  step.wait(to, ONE_JOB, [answer], waitMs);
}
