/** The identity of this worker. Session and proof are issued at registration and are part of every request. */
import type { WorkerId } from '../protocols/ids.js';

export class WorkerIdentity {
  session = '';
  proof = '';

  constructor(readonly workerId: WorkerId) {}

  assign({ session, proof }: { readonly session: string; readonly proof: string }): void {
    this.session = session;
    this.proof = proof;
  }

  /** The brokers no longer accept the proof: the next registration starts a new session. */
  clear(): void {
    this.assign({ session: '', proof: '' });
  }
}
