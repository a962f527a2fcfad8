/**
 * What a broker gives out to be shown again, signed with a key of the namespace: a worker's session with its proof, a lease
 * with its token. Each can be worked out again by every broker, and by nobody else.
 */
import type { JobId, Session, Token, WorkerId } from './ids.js';
import type { Keyring } from './keyring.js';

/** A session and that it was given out to this worker. */
export interface Identity {
  readonly workerId: WorkerId;
  readonly session: Session;
  readonly proof: string;
}

/** Names have no slash in them, so no two things are signed in the same form. */
const sessionText = (workerId: WorkerId, session: Session): string => `session/${workerId}/${session}`;

export const identity = (keyring: Keyring, workerId: WorkerId, session: Session): Identity =>
  ({ workerId, session, proof: keyring.sign(sessionText(workerId, session)) });

export const isProved = (keyring: Keyring, { workerId, session, proof }: Identity): boolean =>
  keyring.verifies(sessionText(workerId, session), proof);

/** `<jobId>/<attempt>/<lease>/<signature>`: the right of one session to report on one attempt. */
export function token(keyring: Keyring, session: Session, id: JobId, attempt: number, lease: number): Token {
  const right = `${id}/${attempt}/${lease}`;
  return `${right}/${keyring.sign(`token/${session}/${right}`)}` as Token;
}
