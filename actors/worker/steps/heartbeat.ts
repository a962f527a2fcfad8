/** Heartbeats renew what they list and bring back what must stop. They never enter the journal. */
import { parseToken } from '../../../protocols/ids.js';
import type { Command } from '../../inputs.js';
import { jobKind } from '../../job/job.kind.js';
import type { Step } from '../../step.js';
import { checkHeld } from '../held.js';
import { pulledReply } from '../replies.js';
import { notice } from '../sessions.js';
import { workerKind } from '../worker.kind.js';

export function heartbeat(step: Step, command: Extract<Command, { kind: 'heartbeat' }>): void {
  const session = step.live(workerKind).get(command.session);
  if (session) session.heardMonoMs = step.moment.monoMs;
  const told = notice();
  checkHeld(step, command.session, command.tokens, told);
  const revoked = new Set(told.revoked);
  const listed = new Set<string>(command.tokens);
  const attempts = step.live(jobKind);
  for (const { token, fraction, message } of command.progress) {
    if (listed.has(token) && !revoked.has(token)) attempts.setProgress(parseToken(token)!.jobId, { fraction, message });
  }
  step.answer(command.to, pulledReply, told);
}
