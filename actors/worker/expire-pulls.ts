import type { Step } from '../step.js';
import { answerPull } from './answer-pull.js';
import { notice } from './sessions.js';
import { workerKind } from './worker.kind.js';

/** Replies to open pulls before their workers give up waiting. */
export function expirePulls(step: Step): void {
  for (const session of [...step.live(workerKind).waiting]) {
    if (session.pull && session.pull.expiresMonoMs <= step.moment.monoMs) answerPull(step, session, notice());
  }
}
