import { hash } from 'node:crypto';
import { capabilities } from '../matching/capabilities.js';
import { WorkerSession, type Sessions } from './sessions.js';
import type { RegisterWorker } from './worker.js';
import type { WorkerId } from '../../protocols/ids.js';

type Registered = Pick<RegisterWorker, 'session' | 'types' | 'queues'> & {
  readonly capabilities: string | undefined;
  readonly weights: RegisterWorker['weights'] | undefined;
};

/** The session of a worker that registers, or that is in the journal as registered. */
export function sessionOf(sessions: Sessions, workerId: WorkerId, registered: Registered): WorkerSession {
  const { session, types, queues, capabilities: text = '', weights = {} } = registered;
  const ability = sessions.abilities.take({
    types: new Set(types),
    queues: queues.length === 0 ? undefined : new Set(queues),
    weights: Object.keys(weights).length === 0 ? undefined : new Map(Object.entries(weights)),
    capabilities: capabilities(text),
  });
  return new WorkerSession(workerId, session, ability, numberOf(text));
}

/** How leases name capabilities: the first 4 bytes of the SHA-256 of their text; 0 if there are none. */
const numberOf = (text: string): number => (text === '' ? 0 : hash('sha256', text, 'buffer').readUInt32BE(0));
