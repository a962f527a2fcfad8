import type { Command } from '../../inputs.js';
import type { Step } from '../../step.js';
import { answerPull } from '../answer-pull.js';
import { isHome } from '../home.js';
import { drainedReply } from '../replies.js';
import { notice } from '../sessions.js';
import { decideDrain } from '../worker.js';
import { workerKind } from '../worker.kind.js';

export function drainWorker(step: Step, command: Extract<Command, { kind: 'drain' }>): void {
  const { workerId, session: id, gone, to } = command;
  const sessions = step.live(workerKind);
  const session = sessions.get(id);
  if (session?.workerId === workerId) {
    sessions.drain(session);
    if (session.pull) answerPull(step, session, notice());
    if (gone) sessions.remove(session);
  }
  const event = isHome(step) ? decideDrain(step.read(workerKind).get(workerId), id, gone) : undefined;
  if (event) {
    step.makeRoom();
    step.emit(workerKind, workerId, event, { commandId: '', type: 'DrainWorker', by: workerId });
  }
  step.answer(to, drainedReply, gone ? 'gone' : 'draining');
}
