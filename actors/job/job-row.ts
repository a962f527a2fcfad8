/**
 * A job in its row: each field of a {@link Job} is a column of numbers, or in the object beside the row. A new field
 * gets a line in {@link FIELDS}.
 */
import { idWords, jobIdOfWords, type JobId, type Partition } from '../../protocols/ids.js';
import { Interned } from '../rows/interned.js';
import { Rows, wordAt } from '../rows/rows.js';
import type { Job, StoredBytes } from './job.js';
import {
  HASH_BYTES, HASH_AT, ROW_BYTES, ROW_WORDS, ROW_NUMBERS, PLACE, FIRST_SEQ, LAST_SEQ, SUBMITTED_MS, TOTAL_DUE_MS,
  HIGH, MIDDLE, LOW, PRIORITY, QUEUE, TYPE, POLICY, CONTENT_TYPE, SIZE, INDEX, ATTEMPT, LEASE, WORKER, SESSION,
  REQUIRE, PREFER, TEXTS, STATUSES, CODES, STATUS, REPORTED, CANCELLING,
} from './job-layout.js';
import { policyOf, textOf } from './policies.js';
import { Positions } from './row-heap.js';

/** Fields that few waiting jobs have. The object is replaced, never changed. */
type SparseField =
  'key' | 'labels' | 'failure' | 'cancelReason' | 'result' | 'startDueMs' | 'crashes' | 'retried' | 'returns' | 'kept';
export type Sparse = { readonly [F in SparseField]?: Job[F] | undefined } & {
  /** Of a payload that is not in the commit of the submission. */
  readonly payloadSeq?: number | undefined;
};

const words = new Uint32Array(3);

/** The rows of a partition's jobs, and the values that many have in common. */
export class JobTable {
  readonly rows = new Rows<Sparse>(ROW_BYTES);
  readonly texts = new Interned();
  /** Where ready jobs are in their lines. */
  readonly inLines = new Positions();

  constructor(readonly partition: Partition) {}

  /** A job that was just submitted. Column by column, because it runs for every job. */
  add(job: Job): JobRow & Job {
    const { texts } = this;
    idWords(job.id, words);
    // First what may throw, so that no row is left behind.
    const policy = textOf(job.policy);
    const row = this.rows.add();
    const { u32, f64 } = this.rows.write(row);
    const [w, f] = [wordAt(row, ROW_WORDS), wordAt(row, ROW_NUMBERS)];
    u32[w + HIGH] = words[0]!;
    u32[w + MIDDLE] = words[1]!;
    u32[w + LOW] = (words[2]! << 16) | CODES.get(job.status)!;
    u32[w + PRIORITY] = job.priority;
    u32[w + QUEUE] = texts.take(job.queue);
    u32[w + TYPE] = texts.take(job.type);
    u32[w + POLICY] = texts.take(policy);
    if (job.require !== undefined) u32[w + REQUIRE] = texts.take(job.require);
    if (job.prefer !== undefined) u32[w + PREFER] = texts.take(job.prefer);
    f64[f + PLACE] = job.place;
    f64[f + FIRST_SEQ] = job.firstSeq;
    f64[f + LAST_SEQ] = job.lastSeq;
    f64[f + SUBMITTED_MS] = job.submittedMs;
    f64[f + TOTAL_DUE_MS] = job.totalDueMs;
    const stored = this.at(row, job.id);
    stored.payload = job.payload;
    if (job.key !== '' || job.labels || job.startDueMs) {
      const { key, labels, startDueMs } = job;
      stored.setSparse({ ...stored.sparse, key: key || undefined, labels, startDueMs });
    }
    return stored;
  }

  /** Any job. */
  restore(job: Job): JobRow & Job {
    const stored = this.add(job);
    for (const field of CHANGING) write(stored, job, field);
    return stored;
  }

  remove(row: number): void {
    const { u32 } = this.rows.read(row);
    const at = wordAt(row, ROW_WORDS);
    for (const column of TEXTS) this.texts.drop(u32[at + column]!);
    this.rows.remove(row);
  }

  at(row: number, id?: JobId): JobRow & Job {
    return new JobRow(this, row, id) as JobRow & Job;
  }

  word(row: number, nth: number): number {
    return this.rows.read(row).u32[wordAt(row, ROW_WORDS) + nth]!;
  }

  number(row: number, nth: number): number {
    return this.rows.read(row).f64[wordAt(row, ROW_NUMBERS) + nth]!;
  }

  isUsed(row: number): boolean {
    return (this.word(row, LOW) & STATUS) !== 0;
  }

  hasId(row: number, high: number, middle: number, low: number): boolean {
    const { u32 } = this.rows.read(row);
    const at = wordAt(row, ROW_WORDS);
    return u32[at + HIGH] === high && u32[at + MIDDLE] === middle && u32[at + LOW]! >>> 16 === low;
  }

  highOf(row: number): number {
    return this.word(row, HIGH);
  }

  priority(row: number): number {
    return this.word(row, PRIORITY) | 0;
  }

  place(row: number): number {
    return this.number(row, PLACE);
  }

  submittedMs(row: number): number {
    return this.number(row, SUBMITTED_MS);
  }

  firstSeqOf(row: number): number {
    return this.number(row, FIRST_SEQ);
  }

  isOlder(a: number, b: number): boolean {
    return this.number(a, PLACE) < this.number(b, PLACE);
  }

  /** The order of a line. */
  goesFirst(a: number, b: number): boolean {
    const [first, second] = [this.priority(a), this.priority(b)];
    return first === second ? this.isOlder(a, b) : first > second;
  }
}

/** Of a job in a table. */
export const rowOf = (job: Readonly<Job>): number => (job as JobRow & Job).row;

/** Valid until the row is removed: a step reads jobs, and keeps none. */
export class JobRow {
  constructor(
    readonly table: JobTable,
    readonly row: number,
    private known: JobId | undefined,
  ) {}

  makeId(): JobId {
    const { table, row } = this;
    const low = this.word(LOW) >>> 16;
    return (this.known ??= jobIdOfWords(table.partition, table.word(row, HIGH), table.word(row, MIDDLE), low));
  }

  word(nth: number): number {
    return this.table.word(this.row, nth);
  }

  setWord(nth: number, value: number): void {
    this.table.rows.write(this.row).u32[wordAt(this.row, ROW_WORDS) + nth] = value;
  }

  setText(nth: number, value: string): void {
    const { texts } = this.table;
    const before = this.word(nth);
    this.setWord(nth, texts.take(value));
    texts.drop(before);
  }

  number(nth: number): number {
    return this.table.number(this.row, nth);
  }

  setNumber(nth: number, value: number): void {
    this.table.rows.write(this.row).f64[wordAt(this.row, ROW_NUMBERS) + nth] = value;
  }

  get sparse(): Sparse | undefined {
    return this.table.rows.object(this.row);
  }

  /** In one order, so that equal objects have equal parts in snapshots. */
  setSparse(of: Sparse): void {
    const { key, labels, failure, cancelReason, result, startDueMs, crashes, retried, returns, payloadSeq, kept } = of;
    const rest = { startDueMs, crashes, retried, returns, payloadSeq, kept };
    this.table.rows.setObject(this.row, { key, labels, failure, cancelReason, result, ...rest });
  }

  get payload(): StoredBytes {
    const { table: { rows, texts }, row } = this;
    const size = this.word(SIZE);
    const from = wordAt(row, ROW_BYTES) + HASH_AT;
    const hash = size === 0 ? '' : rows.read(row).bytes.toString('latin1', from, from + HASH_BYTES);
    const contentType = texts.text(this.word(CONTENT_TYPE));
    return { seq: this.sparse?.payloadSeq ?? this.number(FIRST_SEQ), index: this.word(INDEX), contentType, hash, size };
  }

  set payload({ seq, index, contentType, hash, size }: StoredBytes) {
    const { table: { rows }, row } = this;
    const payloadSeq = seq === this.number(FIRST_SEQ) ? undefined : seq;
    if (this.sparse?.payloadSeq !== payloadSeq) this.setSparse({ ...this.sparse, payloadSeq });
    this.setWord(INDEX, index);
    this.setText(CONTENT_TYPE, contentType);
    this.setWord(SIZE, size);
    rows.write(row).bytes.write(hash, wordAt(row, ROW_BYTES) + HASH_AT, 'latin1');
  }
}

interface Accessor<T> {
  get(this: JobRow): T;
  set?(this: JobRow, value: T): void;
}

const number = (nth: number): Accessor<number> => ({
  get() { return this.number(nth); },
  set(value) { this.setNumber(nth, value); },
});

const word = (nth: number): Accessor<number> => ({
  get() { return this.word(nth); },
  set(value) { this.setWord(nth, value); },
});

const text = <T extends string>(nth: number): Accessor<T> => ({
  get() { return this.table.texts.text(this.word(nth)) as T; },
  set(value) { this.setText(nth, value); },
});

const textOrNone = (nth: number): Accessor<string | undefined> => ({
  get() { return this.table.texts.text(this.word(nth)) || undefined; },
});

const flag = (bit: number): Accessor<boolean> => ({
  get() { return (this.word(LOW) & bit) !== 0; },
  set(value) { this.setWord(LOW, value ? this.word(LOW) | bit : this.word(LOW) & ~bit); },
});

const sparse = <F extends Exclude<keyof Sparse, 'payloadSeq'>>(field: F, none: Job[F]): Accessor<Job[F]> => ({
  get() { return (this.sparse?.[field] as Job[F] | undefined) ?? none; },
  set(value) {
    if (value !== none || this.sparse?.[field] !== undefined) this.setSparse({ ...this.sparse, [field]: value });
  },
});

const FIELDS: { readonly [F in Exclude<keyof Job, 'payload'>]: Accessor<Job[F]> } = {
  place: number(PLACE), firstSeq: number(FIRST_SEQ), lastSeq: number(LAST_SEQ), submittedMs: number(SUBMITTED_MS),
  totalDueMs: number(TOTAL_DUE_MS), dueMs: number(5), attemptDueMs: number(6), endedMs: number(7), pullSeq: number(8),
  id: { get() { return this.makeId(); } },
  status: {
    get() { return STATUSES[this.word(LOW) & STATUS]!; },
    set(status) { this.setWord(LOW, (this.word(LOW) & ~STATUS) | CODES.get(status)!); },
  },
  reported: flag(REPORTED), cancelling: flag(CANCELLING),
  priority: { get() { return this.word(PRIORITY) | 0; }, set(value) { this.setWord(PRIORITY, value); } },
  queue: text(QUEUE), type: text(TYPE), workerId: text(WORKER), session: text(SESSION),
  require: textOrNone(REQUIRE), prefer: textOrNone(PREFER),
  policy: {
    get() { return policyOf(this.table.texts.text(this.word(POLICY))); },
    set(policy) { this.setText(POLICY, textOf(policy)); },
  },
  attempt: word(ATTEMPT), lease: word(LEASE),
  key: sparse('key', ''), labels: sparse('labels', undefined), failure: sparse('failure', undefined),
  cancelReason: sparse('cancelReason', undefined), result: sparse('result', undefined),
  startDueMs: sparse('startDueMs', undefined), crashes: sparse('crashes', undefined),
  retried: sparse('retried', undefined), kept: sparse('kept', undefined), returns: sparse('returns', undefined),
};
Object.defineProperties(JobRow.prototype, FIELDS as PropertyDescriptorMap);

/** The fields that are not set when a job is submitted. */
const CHANGING = [
  'attempt', 'lease', 'workerId', 'session', 'pullSeq', 'dueMs', 'attemptDueMs', 'reported', 'cancelling',
  'cancelReason', 'failure', 'result', 'endedMs', 'crashes', 'retried', 'returns', 'kept',
] as const satisfies readonly (keyof Job)[];
export const JOB_FIELDS = ['payload', ...Object.keys(FIELDS)] as readonly (keyof Job)[];

function write<F extends keyof Job>(stored: JobRow & Job, job: Job, field: F): void {
  (stored as { [K in F]: Job[K] })[field] = job[field];
}
