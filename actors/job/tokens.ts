/** Tokens of leases: made when a lease is delivered, checked in requests of workers, and not stored. */
import type { Session, Token, TokenParts } from '../../protocols/ids.js';
import type { Keyring } from '../../protocols/keyring.js';
import { isLeaseSignature, leaseSignature, token } from '../../protocols/proofs.js';
import type { Job } from './job.js';

/** Limits of the cache of signatures. More sessions or pulls only cost time. */
const MOST_SESSIONS = 10_000;
const MOST_PULLS = 64;

export class Tokens {
  private readonly signatures = new Map<string, Map<number, string>>();

  constructor(private readonly keyring: Keyring) {}

  /** Of the job's latest attempt, running or ended. */
  of(job: Readonly<Job>): Token {
    return token(job.id, job.attempt, job.lease, this.signature(job.session, job.pullSeq));
  }

  /** Whether this session got the job's latest attempt, under this token. */
  isHolder(
    job: Readonly<Job> | undefined, session: Session, { attempt, lease, signature }: TokenParts,
  ): job is Readonly<Job> {
    if (job === undefined || job.session !== session || job.attempt !== attempt || job.lease !== lease) return false;
    return this.signature(session, job.pullSeq) === signature
      || isLeaseSignature(this.keyring, session, job.pullSeq, signature);
  }

  private signature(session: Session | '', pullSeq: number): string {
    let pulls = this.signatures.get(session);
    if (pulls === undefined) {
      if (this.signatures.size >= MOST_SESSIONS) this.signatures.clear();
      this.signatures.set(session, (pulls = new Map()));
    }
    const known = pulls.get(pullSeq);
    if (known !== undefined) return known;
    if (pulls.size >= MOST_PULLS) pulls.clear();
    const made = leaseSignature(this.keyring, session as Session, pullSeq);
    pulls.set(pullSeq, made);
    return made;
  }
}
