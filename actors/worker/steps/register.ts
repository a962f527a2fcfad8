import type { Command } from '../../inputs.js';
import type { Step } from '../../step.js';
import { answerPull } from '../answer-pull.js';
import { isHome } from '../home.js';
import { registeredReply } from '../replies.js';
import { notice, WorkerSession } from '../sessions.js';
import { decideRegister } from '../worker.js';
import { workerKind } from '../worker.kind.js';

/** Of the lists of types and queues, which are bounded. */
const REGISTRATION_BYTES = 32_768;

export function registerWorker(step: Step, { to, worker, proof }: Extract<Command, { kind: 'register' }>): void {
  const { workerId, types, queues } = worker;
  const sessions = step.live(workerKind);
  const older = sessions.get(worker.session);
  if (older?.pull) answerPull(step, older, notice());
  const session = new WorkerSession(workerId, worker.session, types, queues);
  session.heardMonoMs = step.moment.monoMs;
  session.lastPullSeq = older?.lastPullSeq ?? 0;
  sessions.add(session);
  const event = isHome(step) ? decideRegister(step.read(workerKind).get(workerId), worker) : undefined;
  if (event) {
    step.makeRoom(REGISTRATION_BYTES);
    step.emit(workerKind, workerId, event, { commandId: '', type: 'RegisterWorker', by: workerId });
  }
  step.answer(to, registeredReply, { session: worker.session, proof });
}
