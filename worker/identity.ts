/** Who this worker is to the brokers. Session and proof come with registration and go with every request. */
import type { WorkerId } from '../protocols/ids.js';

export class WorkerIdentity {
  readonly workerId: WorkerId;
  session = '';
  proof = '';

  constructor(workerId: WorkerId) {
    this.workerId = workerId;
  }

  given({ session, proof }: { readonly session: string; readonly proof: string }): void {
    this.session = session;
    this.proof = proof;
  }

  /** The brokers do not accept the proof any more: the next registration starts another session. */
  forget(): void {
    this.given({ session: '', proof: '' });
  }
}
