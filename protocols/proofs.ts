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

/** Of all leases that one pull of a session brings: they belong together, and one MAC serves them. */
export const leaseSignature = (keyring: Keyring, session: Session, pullSeq: number): string => keyring.sign(`lease/${session}/${pullSeq}`);

/** Whether any key of the keyring made that signature: leases outlive a change of keys. */
export const isLeaseSignature = (keyring: Keyring, session: Session, pullSeq: number, signature: string): boolean =>
  keyring.verifies(`lease/${session}/${pullSeq}`, signature);

/** `<jobId>/<attempt>/<lease>/<signature>`: the right of one session to report on one attempt. */
export const token = (id: JobId, attempt: number, lease: number, signature: string): Token => `${id}/${attempt}/${lease}/${signature}` as Token;
