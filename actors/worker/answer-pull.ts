import type { Step } from '../step.js';
import { pulledReply } from './replies.js';
import type { Notice, WorkerSession } from './sessions.js';
import { workerKind } from './worker.kind.js';

/** Replies to the session's open pull and closes it. */
export function answerPull(step: Step, session: WorkerSession, notice: Notice): void {
  const open = session.pull;
  if (open === undefined) return;
  session.pull = undefined;
  step.live(workerKind).endWait(session);
  if (session.retired) notice.drain = true;
  step.answer(open.to, pulledReply, notice);
}
