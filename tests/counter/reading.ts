/**
 * What a step reads it cannot write. `npm run typecheck` is the test: each line below must be an error, and an
 * expected error that does not come is one itself. Nothing runs this.
 */
import { jobKind } from '../../actors/job/job.kind.js';
import { queueKind } from '../../actors/queue/queue.kind.js';
import type { Step } from '../../actors/step.js';
import { workerKind } from '../../actors/worker/worker.kind.js';
import type { Session } from '../../protocols/ids.js';

export function writesNothing(step: Step): void {
  const jobs = step.read(jobKind);
  const job = jobs.get('0-x')!;
  // @ts-expect-error an actor
  job.status = 'completed';
  // @ts-expect-error the store
  jobs.enter(job, false, { type: '', body: { status: '' } });
  // @ts-expect-error actors one after another
  for (const each of jobs.all()) each.lease = 1;
  for (const leases of jobs.runningSessions) {
    // @ts-expect-error an index
    leases.clear();
    // @ts-expect-error actors in an index
    for (const each of leases) each.lease = 1;
  }
  // @ts-expect-error an index
  jobs.leasesOf('s' as Session)?.delete(job);
  // @ts-expect-error actors in an index
  for (const each of jobs.leasesOf('s' as Session)!) each.lease = 1;
  const { lines } = jobs;
  // @ts-expect-error a counter of all lines
  lines.ready = 0;
  // @ts-expect-error puts a job into a line
  lines.enter(0, 'ready');
  // @ts-expect-error the first of a line
  lines.lineOf(job)!.first!.status = 'failed';
  for (const line of [...lines.ofQueue('default'), lines.lineOf(job)!, ...lines.all]) {
    // @ts-expect-error a counter of a line
    line.running += 1;
    // @ts-expect-error the order of a line
    line.jobs.pop();
    // @ts-expect-error a job in a line
    line.jobs.peek()!.status = 'failed';
    // @ts-expect-error jobs in a line
    for (const each of line.jobs) each.status = 'failed';
  }
  // @ts-expect-error a key
  jobs.keys.find('name', 0)!.jobId = job.id;
  const { tokens } = step.live(jobKind);
  // @ts-expect-error a job whose holder was checked
  if (tokens.isHolder(job, 's' as Session, { attempt: 1, lease: 1, signature: '' } as never)) job.lease = 2;
  // @ts-expect-error a worker
  step.read(workerKind).get('w')!.status = 'gone';
  // @ts-expect-error a queue
  step.read(queueKind).get('q')!.status = 'paused';
  // @ts-expect-error the state
  step.state.seq = 0;
}
