/**
 * The jobs in the state of a partition, in rows, and their indexes. Ended jobs leave it after a while.
 */
import { isJobIdOf, type JobId, type Partition, type Session } from '../../protocols/ids.js';
import type { Kept } from '../actor/aside.js';
import type { ActorEvent, Store } from '../kind.js';
import { listIn, listPart, restoreRows, rowParts, type Part, type PartBytes } from '../rows/parts.js';
import { Admissions, type AdmissionsReading, type AdmissionsView } from './admissions.js';
import { jobOf, placesOf, viewOfJob, type JobPlaces, type JobState } from './canonical.js';
import { EndedJobs, type EndedView } from './ended.js';
import { IdTable } from './id-table.js';
import { jobChart } from './job.chart.js';
import type { JobBodies } from './job.events.js';
import { JobRow, JobTable, rowOf } from './job-row.js';
import { isLive, isRunning, type BytesRef, type Job, type JobStatus } from './job.js';
import { keyName, Keys } from './keys.js';
import { RowsOfSession, type Leases } from './leases.js';
import { Lines, type LinesReading } from './lines.js';
import { Places } from './places.js';

const NONE = new Uint8Array();
/** What a job that is taken back has lost: its numbers of attempts and leases stay, so that no token counts again. */
const NO_ATTEMPT = {
  workerId: '', session: '', pullSeq: 0, dueMs: 0, attemptDueMs: 0, reported: false, cancelling: false,
  cancelReason: undefined, result: undefined, endedMs: 0, kept: undefined,
} as const satisfies Partial<Job>;

type JobsView = ReturnType<Keys['view']> & EndedView & AdmissionsView & { readonly jobs: JobState[] };
type JobsPlaces = Readonly<Record<string, JobPlaces>>;

/** What steps may read. A job that is read is valid within the step, and is not kept. */
export interface JobsReading {
  readonly size: number;
  get(id: string): Readonly<Job> | undefined;
  /** In no particular order. */
  all(): Iterable<Readonly<Job>>;
  /** Those with a place behind this one, in the order of their places. */
  after(place: number): Iterable<Readonly<Job>>;
  /** The job at a place; undefined if it has left. */
  at(place: number): Readonly<Job> | undefined;
  /** Of the job that came last among those that are known. */
  readonly lastPlace: number;
  /** For a job that had left, by the position of its submission. */
  freePlace(firstSeq: number): number;
  readonly lines: LinesReading;
  readonly keys: Pick<Keys, 'find' | 'isFull'>;
  readonly admissions: AdmissionsReading;
  leasesOf(session: Session): Leases | undefined;
  /** The running jobs of each session. */
  readonly runningSessions: Iterable<Leases>;
}

export class Jobs implements Store<Job>, JobsReading {
  readonly keys: Keys;
  readonly admissions = new Admissions();
  readonly lines: Lines;
  private readonly table: JobTable;
  private readonly ids: IdTable;
  private readonly byPlace: Places;
  private readonly running = new Map<Session, RowsOfSession>();
  private readonly ended: EndedJobs;

  constructor(private readonly partition: Partition) {
    this.keys = new Keys(partition);
    this.table = new JobTable(partition);
    this.ids = new IdTable(this.table);
    this.byPlace = new Places(this.table);
    this.lines = new Lines(this.table);
    this.ended = new EndedJobs(this.table);
  }

  get size(): number {
    return this.ids.size;
  }

  get(id: string): Job | undefined {
    if (!isJobIdOf(this.partition, id)) return undefined;
    const row = this.ids.find(id);
    return row < 0 ? undefined : this.table.at(row, id);
  }

  owns(job: Readonly<Job>): boolean {
    return job instanceof JobRow && job.table === this.table && this.table.isUsed(job.row);
  }

  *all(): Generator<Job> {
    const { table } = this;
    for (let row = 0; row < table.rows.end; row += 1) if (table.isUsed(row)) yield table.at(row);
  }

  *after(place: number): Generator<Job> {
    for (const row of this.byPlace.after(place)) yield this.table.at(row);
  }

  at(place: number): Job | undefined {
    const row = this.byPlace.find(place);
    return row < 0 ? undefined : this.table.at(row);
  }

  get lastPlace(): number {
    return this.byPlace.last;
  }

  freePlace(firstSeq: number): number {
    return this.byPlace.free(firstSeq);
  }

  get runningSessions(): Iterable<Leases> {
    return this.running.values();
  }

  leasesOf(session: Session): Leases | undefined {
    return this.running.get(session);
  }

  leave(job: Job): void {
    if (!isLive(job.status)) return this.ended.delete(rowOf(job));
    this.lines.leave(rowOf(job), job.status);
    if (isRunning(job)) this.forgetLease(job);
  }

  enter(job: Job, isNew: boolean, event: ActorEvent): Job {
    const stored = isNew ? this.add(job, event) : job;
    if (event.type === 'JobLeased') this.admissions.note(job.queue, event.body as JobBodies['JobLeased']);
    if (event.type === 'JobRetryScheduled') {
      this.admissions.slow((event.body as JobBodies['JobRetryScheduled']).slowed);
    }
    if (!isNew && event.type === 'JobRetried') this.reviveKey(stored, event);
    this.index(stored);
    return stored;
  }

  /** Its key stays, so that it is not submitted a second time. */
  remove(job: Job): Kept {
    const kept = { view: viewOfJob(job), places: placesOf(job) };
    const row = rowOf(job);
    this.ended.delete(row);
    this.forgetJob(row);
    return kept;
  }

  takeBack({ view, places }: Kept, status: string, lastSeq: number): Job {
    const job = jobOf(view as JobState, places as JobPlaces);
    const stored = this.table.restore({ ...job, ...NO_ATTEMPT, status: status as JobStatus, lastSeq });
    this.known(stored);
    this.index(stored);
    return stored;
  }

  dropped(kept: Kept | undefined, nowMs: number): void {
    const { key, queue } = (kept?.view ?? { key: '' }) as JobState;
    if (key !== '') this.keys.retire(keyName(queue, key), nowMs);
  }

  begin(nowMs: number): void {
    for (const row of this.ended.leaving(nowMs)) this.forgetJob(row);
    this.keys.forget(nowMs);
    this.admissions.begin(nowMs);
    this.lines.forget(nowMs);
  }

  freeze(): Part[] {
    const { rows, texts } = this.table;
    return [
      ...rowParts('rows', rows), ...rowParts('texts', texts.rows), ...this.ended.freeze(),
      listPart('admissions', this.admissions.view()), ...this.keys.freeze(),
    ];
  }

  /** Payloads of jobs that have not ended, and of failed ones, which may be retried. */
  *needed(upToSeq: number, setAside: Iterable<Kept>): Generator<BytesRef | undefined> {
    const { table } = this;
    for (let row = 0; row < table.rows.end; row += 1) {
      yield table.isUsed(row) ? payloadNeeded(table.at(row), upToSeq) : undefined;
    }
    for (const { view, places } of setAside) yield payloadNeeded(jobOf(view as JobState, places as JobPlaces), upToSeq);
  }

  thaw(parts: PartBytes): void {
    const { table } = this;
    restoreRows(table.rows, parts, 'rows');
    restoreRows(table.texts.rows, parts, 'texts');
    table.texts.restored();
    this.ended.thaw(parts);
    this.admissions.restore(listIn(parts, 'admissions'));
    this.keys.thaw(parts);
    this.ids.reserve(table.rows.size);
    this.byPlace.rebuild();
    const live: number[] = [];
    for (let row = 0; row < table.rows.end; row += 1) {
      if (!table.isUsed(row)) continue;
      this.ids.add(row);
      if (!jobChart.isFinal(table.at(row).status)) live.push(row);
    }
    // Rows that were used again are not in the order of submission, in which lines are built the fastest.
    if (live.some((row, nth) => nth > 0 && table.isOlder(row, live[nth - 1]!))) {
      live.sort((a, b) => (table.isOlder(a, b) ? -1 : 1));
    }
    for (const row of live) this.index(table.at(row));
  }

  view(): object {
    const jobs = this.inOrder().map(viewOfJob);
    return { jobs, ...this.ended.view(), ...this.keys.view(), ...this.admissions.view() };
  }

  places(): object {
    return Object.fromEntries(this.inOrder().map((job) => [job.id, placesOf(job)]));
  }

  restore(view: JobsView, places: JobsPlaces): void {
    const { jobs, ended, failed = [], keys, pastKeys, ...used } = structuredClone(view);
    this.keys.restore({ keys, pastKeys });
    this.admissions.restore(used);
    for (const of of jobs) {
      const job = jobOf(of, places[of.id] ?? {});
      const stored = this.table.restore(job);
      this.known(stored);
      if (!jobChart.isFinal(stored.status)) this.index(stored);
    }
    const rowsOf = (ids: readonly JobId[]): number[] => ids.map((id) => rowOf(this.get(id)!));
    this.ended.restore(rowsOf(ended.map(([id]) => id)), rowsOf(failed));
  }

  private inOrder(): Job[] {
    return [...this.all()].sort((a, b) => a.place - b.place);
  }

  private add(job: Job, { type, body }: ActorEvent): Job {
    if (!isJobIdOf(this.partition, job.id)) throw new TypeError(`${String(job.id)} is no job of this partition`);
    // One that had left comes back with its attempts.
    const stored = type === 'JobRetried' ? this.table.restore(job) : this.table.add(job);
    this.known(stored);
    if (job.key === '') return stored;
    const { fingerprint } = body as JobBodies['JobSubmitted'];
    this.keys.remember(keyName(job.queue, job.key), job.id, fingerprint ?? NONE);
    return stored;
  }

  private known(stored: JobRow & Job): void {
    this.ids.add(stored.row);
    this.byPlace.add(stored.place, stored.row, this.ids.size);
  }

  private index(job: Job): void {
    if (!isLive(job.status)) return this.end(job);
    this.lines.enter(rowOf(job), job.status);
    if (isRunning(job)) this.holdLease(job);
  }

  private end(job: Job): void {
    this.ended.push(rowOf(job));
    if (job.key !== '') this.keys.retire(keyName(job.queue, job.key), job.endedMs);
  }

  private forgetJob(row: number): void {
    this.ids.delete(row);
    this.table.remove(row);
  }

  private reviveKey({ key, queue, id }: Job, { body }: ActorEvent): void {
    if (key !== '') this.keys.revive(keyName(queue, key), id, (body as JobBodies['JobRetried']).fingerprint ?? NONE);
  }

  private holdLease(job: Job): void {
    const session = job.session as Session;
    let held = this.running.get(session);
    if (held === undefined) this.running.set(session, (held = new RowsOfSession(this.table)));
    held.rows.add(rowOf(job));
  }

  private forgetLease(job: Job): void {
    const session = job.session as Session;
    const held = this.running.get(session);
    held?.rows.delete(rowOf(job));
    if (held?.size === 0) this.running.delete(session);
  }
}

function payloadNeeded({ status, kept, payload }: Readonly<Job>, upToSeq: number): BytesRef | undefined {
  const isNeeded = payload.size > 0 && (kept || !jobChart.isFinal(status));
  return isNeeded && payload.seq <= upToSeq ? payload : undefined;
}
