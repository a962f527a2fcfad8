import type { Step } from '../step.js';
import { answerPull } from './answer-pull.js';
import { emptyNotice } from './sessions.js';
import { workerKind } from './worker.kind.js';

/** Sends empty replies to open pulls before their workers time out. */
export function expirePulls(step: Step): void {
  const { waiting, resting } = step.live(workerKind);
  for (const session of [...waiting, ...resting]) {
    if (session.pull && session.pull.expiresMonoMs <= step.moment.monoMs) answerPull(step, session, emptyNotice());
  }
}
