/**
 * Volatile knowledge of a leader about workers: capabilities, open pulls, and the time of their last request. It is
 * lost with the leader; workers register again with the next one.
 */
import type { Session, Token, WorkerId } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import { Abilities } from '../dispatch/abilities.js';
import type { Ability } from '../dispatch/ability.js';
import { Parked } from '../dispatch/parked.js';
import { Unserved } from '../dispatch/unserved.js';
import { Turns } from '../dispatch/turns.js';
import type { LeasedJob } from '../job/job-copy.js';
import type { ReplyTo } from '../reply.js';
import type { ReadonlyLine } from '../job/line.js';
import { GoneWorkers } from './gone.js';
import type { Load } from './load.js';
import type { RejectedReport } from './reports.js';

export interface OpenPull {
  readonly to: ReplyTo;
  readonly pullSeq: number;
  readonly free: number;
  readonly sinceMonoMs: number;
  readonly expiresMonoMs: number;
}

const RECALL_MS = 50;

export interface LeaseGrant {
  readonly token: Token;
  readonly job: LeasedJob;
  /** How long it runs at least, counted from the arrival of the pull that gets it. */
  readonly leaseMs: number;
}

/** What the next reply to a worker contains. */
export interface Notice {
  readonly leases: LeaseGrant[];
  readonly cancel: Token[];
  readonly revoked: string[];
  readonly rejected: RejectedReport[];
  /** An operator drains the worker. */
  drain?: boolean;
}

export class WorkerSession {
  readonly turns: Turns | undefined;
  draining = false;
  /** An operator drains it: its replies say so. */
  retired = false;
  /** As the state says of its worker. */
  cordoned = false;
  pull: OpenPull | undefined;
  lastPullSeq = 0;
  heardMonoMs = 0;
  /** As it was last sent. */
  load: Load | undefined;

  constructor(
    readonly workerId: WorkerId,
    readonly session: Session,
    readonly ability: Ability,
    /** As leases name them. */
    readonly capabilities: number,
  ) {
    const { weights } = ability.offering;
    this.turns = weights && new Turns(weights);
  }

  heard(monoMs: number, load: Load | undefined): void {
    this.heardMonoMs = monoMs;
    if (load) this.load = load;
  }

  /** Whether it gets new leases. */
  get isOpen(): boolean {
    return !this.draining && !this.cordoned;
  }

  /** Whether it can do jobs of a line. */
  canServe(line: ReadonlyLine): boolean {
    return this.isOpen && this.ability.canDo(line);
  }
}

export class Sessions {
  private readonly bySession = new Map<Session, WorkerSession>();
  /** Sessions with an open pull, the longest waiting first. */
  readonly waiting = new Set<WorkerSession>();
  /** Sessions with an open pull that get no leases, because their worker is cordoned. */
  readonly resting = new Set<WorkerSession>();
  readonly gone = new GoneWorkers();
  readonly abilities = new Abilities();
  readonly parked = new Parked();
  readonly unserved = new Unserved();
  /** When pulls last got a reply because they were too old. */
  recalledMonoMs = -Infinity;
  /** Whether any session can serve a line: a cache, cleared when sessions are added, changed or removed. */
  private served = new WeakMap<ReadonlyLine, boolean>();
  /** From when on all workers have had time to register, on the monotonic clock. */
  private knownMonoMs = Infinity;

  /** Leadership begins: workers register again when their next pull is refused, which is at most one pull away. */
  lead(monoMs: number): void {
    this.knownMonoMs = monoMs + LIMITS.pullExpiresMs + 1_000;
  }

  areKnown(monoMs: number): boolean {
    return monoMs >= this.knownMonoMs;
  }

  get(session: Session): WorkerSession | undefined {
    return this.bySession.get(session);
  }

  get all(): Iterable<WorkerSession> {
    return this.bySession.values();
  }

  add(session: WorkerSession): void {
    const older = this.bySession.get(session.session);
    if (older) this.forget(older);
    this.bySession.set(session.session, session);
    this.served = new WeakMap();
  }

  drain(session: WorkerSession): void {
    session.draining = true;
    this.served = new WeakMap();
  }

  ofWorker(id: WorkerId): WorkerSession[] {
    return [...this.bySession.values()].filter(({ workerId }) => workerId === id);
  }

  /** The session has an open pull. */
  wait(session: WorkerSession): void {
    (session.cordoned ? this.resting : this.waiting).add(session);
  }

  endWait(session: WorkerSession): void {
    if (!this.waiting.delete(session)) this.resting.delete(session);
  }

  setCordoned(session: WorkerSession, cordoned: boolean): void {
    this.endWait(session);
    session.cordoned = cordoned;
    if (session.pull) this.wait(session);
    this.served = new WeakMap();
  }

  /** Whether any known worker can do jobs of a line. */
  canServe(line: ReadonlyLine): boolean {
    const known = this.served.get(line);
    if (known !== undefined) return known;
    const served = [...this.bySession.values()].some((session) => session.canServe(line));
    this.served.set(line, served);
    return served;
  }

  remove(session: WorkerSession): void {
    this.forget(session);
    this.bySession.delete(session.session);
    this.served = new WeakMap();
  }

  private forget(session: WorkerSession): void {
    this.endWait(session);
    this.abilities.drop(session.ability);
  }

  /** Workers that must pull again get some time for it before others must. */
  mayRecall(monoMs: number): boolean {
    return monoMs >= this.recalledMonoMs + RECALL_MS;
  }
}

export const emptyNotice = (): Notice => ({ leases: [], cancel: [], revoked: [], rejected: [] });
