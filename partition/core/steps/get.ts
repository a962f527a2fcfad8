import { reject } from '../../../protocols/errors.js';
import type { PartitionCore } from '../core.js';
import type { Command } from '../inputs.js';
import { describe, findJob } from './find.js';

export function getJob(core: PartitionCore, { to, target }: Extract<Command, { kind: 'get' }>): void {
  const found = findJob(core, target);
  if (found === undefined) core.refuse(to, reject('NOT_FOUND', `no ${describe(target)}`));
  else if (found.kind === 'archived') core.effect({ kind: 'archive', to, jobId: found.jobId });
  else core.effect({ kind: 'view', to, job: { ...found.job }, progress: core.sessions.progressOf(found.job.id), noWorker: core.lacksWorker(found.job) });
}
