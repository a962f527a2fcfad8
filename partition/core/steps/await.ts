import { reject } from '../../../protocols/errors.js';
import type { PartitionCore } from '../core.js';
import type { Command } from '../inputs.js';
import { describe, findJob } from './find.js';

export function awaitJob(core: PartitionCore, { to, target, waitMs }: Extract<Command, { kind: 'await' }>): void {
  const found = findJob(core, target);
  if (found === undefined) return core.refuse(to, reject('NOT_FOUND', `no ${describe(target)}`));
  const answer = found.kind === 'job' ? core.answerOf(found.job) : { kind: 'archived' as const, jobId: found.jobId, duplicate: false };
  core.effect({ kind: 'wait', to, answers: [answer], waitMs });
}
