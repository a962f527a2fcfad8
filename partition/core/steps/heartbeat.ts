/** Heartbeats renew what they list and bring back what must stop. They never enter the journal. */
import { parseToken } from '../../../protocols/ids.js';
import type { PartitionCore } from '../core.js';
import type { Command } from '../inputs.js';
import { notice } from '../sessions.js';
import { checkHeld } from './pull.js';

export function heartbeat(core: PartitionCore, command: Extract<Command, { kind: 'heartbeat' }>): void {
  const session = core.sessions.get(command.session);
  if (session) session.heardMonoMs = core.moment.monoMs;
  const told = notice();
  checkHeld(core, command.session, command.tokens, told);
  const revoked = new Set(told.revoked);
  const listed = new Set<string>(command.tokens);
  for (const { token, fraction, message } of command.progress) {
    if (listed.has(token) && !revoked.has(token)) core.sessions.setProgress(parseToken(token)!.jobId, { fraction, message });
  }
  core.effect({ kind: 'pulled', to: command.to, workerId: command.workerId, session: command.session, ...told });
}
