/**
 * What a worker gets from a broker and sends back, signed with a key of the namespace: a session with its proof, a
 * lease with its token. Only brokers can make these signatures, and any broker can compute them again.
 */
import type { JobId, Session, Token, WorkerId } from './ids.js';
import type { Keyring } from './keyring.js';

/** A session, with the proof that a broker gave it to this worker. */
export interface Identity {
  readonly workerId: WorkerId;
  readonly session: Session;
  readonly proof: string;
}

/** Names contain no slash, so the texts that are signed are unambiguous. */
const sessionText = (workerId: WorkerId, session: Session): string => `session/${workerId}/${session}`;

export const identity = (keyring: Keyring, workerId: WorkerId, session: Session): Identity =>
  ({ workerId, session, proof: keyring.sign(sessionText(workerId, session)) });

export const isProved = (keyring: Keyring, { workerId, session, proof }: Identity): boolean =>
  keyring.verifies(sessionText(workerId, session), proof);

/** One MAC for all leases that one pull of a session brings. */
export const leaseSignature = (keyring: Keyring, session: Session, pullSeq: number): string =>
  keyring.sign(`lease/${session}/${pullSeq}`);

/** Whether any key of the keyring made the signature: leases outlive a change of keys. */
export const isLeaseSignature = (keyring: Keyring, session: Session, pullSeq: number, signature: string): boolean =>
  keyring.verifies(`lease/${session}/${pullSeq}`, signature);

/** `<jobId>/<attempt>/<lease>/<signature>`: the right of one session to report on one attempt. */
export const token = (id: JobId, attempt: number, lease: number, signature: string): Token =>
  `${id}/${attempt}/${lease}/${signature}` as Token;
