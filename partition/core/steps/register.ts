/** Workers come and go. Every partition learns what a session can do; only the fleet's home partition records it. */
import type { PartitionCore } from '../core.js';
import type { Command } from '../inputs.js';
import { decideDrain, decideGone, decideRegister } from '../../../actors/worker/worker.js';
import { notice, WorkerSession } from '../sessions.js';
import { answerPull } from './answer-pull.js';

const HOME_PARTITION = 0;
const isHome = (core: PartitionCore): boolean => core.state.partition === HOME_PARTITION;

export function registerWorker(core: PartitionCore, { to, worker, proof }: Extract<Command, { kind: 'register' }>): void {
  const { workerId, types, queues } = worker;
  const older = core.sessions.get(worker.session);
  if (older?.pull) answerPull(core, older, notice());
  const session = new WorkerSession(workerId, worker.session, types, queues);
  session.heardMonoMs = core.moment.monoMs;
  session.lastPullSeq = older?.lastPullSeq ?? 0;
  core.sessions.add(session);
  const event = isHome(core) ? decideRegister(core.state.workers.get(workerId), worker) : undefined;
  if (event) {
    core.makeRoom(32_768);
    core.emitWorker(workerId, event, { commandId: '', type: 'RegisterWorker', by: workerId });
  }
  core.effect({ kind: 'registered', to, session: worker.session, proof });
}

export function drainWorker(core: PartitionCore, command: Extract<Command, { kind: 'drain' }>): void {
  const { workerId, session: id, gone, to } = command;
  const session = core.sessions.get(id);
  if (session?.workerId === workerId) {
    core.sessions.drain(session);
    if (session.pull) answerPull(core, session, notice());
    if (gone) core.sessions.remove(session);
  }
  const event = isHome(core) ? decideDrain(core.state.workers.get(workerId), id, gone) : undefined;
  if (event) {
    core.makeRoom();
    core.emitWorker(workerId, event, { commandId: '', type: 'DrainWorker', by: workerId });
  }
  core.effect({ kind: 'drained', to, status: gone ? 'gone' : 'draining' });
}

/** Workers that have been silent for long are gone; their leases have ended long before. */
export function forgetSilentWorkers(core: PartitionCore, silentMs: number): void {
  const { monoMs } = core.moment;
  for (const session of [...core.sessions.all]) {
    if (session.heardMonoMs + silentMs > monoMs || core.indexes.leasesOf(session.session)) continue;
    core.sessions.remove(session);
    const worker = isHome(core) ? core.state.workers.get(session.workerId) : undefined;
    if (worker?.session !== session.session) continue;
    core.makeRoom();
    core.emitWorker(worker.id, decideGone(worker, 'silent'), { commandId: '', type: 'Timer', by: '' });
  }
}
