import type { Step } from '../step.js';
import { answerPull } from './answer-pull.js';
import { emptyNotice } from './sessions.js';
import { workerKind } from './worker.kind.js';

/** Sends empty replies to open pulls before their workers time out. */
export function expirePulls(step: Step): void {
  for (const session of [...step.live(workerKind).waiting]) {
    if (session.pull && session.pull.expiresMonoMs <= step.moment.monoMs) answerPull(step, session, emptyNotice());
  }
}
