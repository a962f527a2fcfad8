/** The session of a worker's request. It is drawn here, and proved by the MAC that the worker got with it. */
import { randomBytes } from 'node:crypto';
import { session as sessionFrom } from '../protocols/ids.js';
import type { Keyring } from '../protocols/keyring.js';
import { identity, isProved, type Identity } from '../protocols/proofs.js';
import { Invalid, sessionOf, workerIdOf } from '../protocols/bounds.js';

export interface Claimed {
  readonly workerId: string;
  readonly session: string;
  readonly proof: string;
}

const SESSION_BYTES = 10;
/** A cache of proved sessions, so that a proof is not computed for each request. */
const MOST_KNOWN = 10_000;

export class Identities {
  private readonly known = new Map<string, Identity>();

  constructor(private readonly keyring: Keyring) {}

  /** @throws Invalid SESSION_UNPROVED */
  prove(claimed: Claimed): Identity {
    const known = this.known.get(claimed.session);
    if (known?.proof === claimed.proof && known.workerId === claimed.workerId) return known;
    const given = { workerId: workerIdOf(claimed.workerId), session: sessionOf(claimed.session), proof: claimed.proof };
    if (!isProved(this.keyring, given)) throw unproved(given);
    if (this.known.size >= MOST_KNOWN) this.known.clear();
    this.known.set(given.session, given);
    return given;
  }

  /** Draws a session for a worker that names none. A worker that keeps its session must prove it. @throws Invalid */
  register(claimed: Claimed): Identity {
    if (claimed.session !== '') return this.prove(claimed);
    return identity(this.keyring, workerIdOf(claimed.workerId), sessionFrom(randomBytes(SESSION_BYTES)));
  }
}

function unproved({ workerId, session, proof }: Identity): Invalid {
  const what = proof === '' ? 'no proof' : 'a proof that is not of this worker and session';
  const remedy = 'a session and its proof come from registering';
  return new Invalid('SESSION_UNPROVED', `worker ${workerId}, session ${session}: the request has ${what}; ${remedy}`);
}
