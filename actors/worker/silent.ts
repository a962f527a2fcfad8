import type { Step } from '../step.js';
import { jobKind } from '../job/job.kind.js';
import { isHome } from './home.js';
import { decideGone } from './worker.js';
import { workerKind } from './worker.kind.js';

const SILENT_MS = 60_000;

/** Removes workers that have been silent for long. Their leases have expired long before. */
export function forgetSilentWorkers(step: Step): void {
  const { monoMs } = step.moment;
  const sessions = step.live(workerKind);
  for (const session of [...sessions.all]) {
    if (session.heardMonoMs + SILENT_MS > monoMs || step.read(jobKind).leasesOf(session.session)) continue;
    sessions.remove(session);
    const worker = isHome(step) ? step.read(workerKind).get(session.workerId) : undefined;
    if (worker?.session !== session.session || worker.status === 'gone') continue;
    sessions.gone.note(worker, 'silent', monoMs);
    step.makeRoom();
    step.emit(workerKind, worker.id, decideGone(worker, 'silent'), { commandId: '', type: 'Timer', by: '' });
  }
}
