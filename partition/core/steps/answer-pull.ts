import type { PartitionCore } from '../core.js';
import type { Asker } from '../effects.js';
import type { Notice, WorkerSession } from '../sessions.js';

/** Answers the session's open pull and closes it. */
export function answerPull(core: PartitionCore, session: WorkerSession, told: Notice): void {
  const open = session.pull;
  if (open === undefined) return;
  session.pull = undefined;
  core.sessions.waiting.delete(session);
  tellWorker(core, session, open.to, told);
}

export function tellWorker(core: PartitionCore, { workerId, session }: WorkerSession, to: Asker, told: Notice): void {
  core.effect({ kind: 'pulled', to, workerId, session, ...told });
}
