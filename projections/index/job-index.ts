/**
 * The index of jobs, in bounded memory: a table that takes the entries; tables that are full and being written; sorted
 * runs on disk, which are merged so that they stay few. The manifest says up to which commit the runs are complete:
 * after a restart only the commits behind it are needed.
 */
import { rm } from 'node:fs/promises';
import type { Committed } from '../../streams/committed.js';
import type { Checkpoint } from '../projection.js';
import { BrokenIndex } from './block.js';
import { combined, parseKey, type Entry } from './entry.js';
import { runPath } from './files.js';
import { writeManifest, type Manifest } from './manifest.js';
import { runsToMerge } from './tiers.js';
import { SortedRun } from './run.js';
import { IndexTable } from './table.js';
import { Cancelled, performNow, type Perform } from './tasks.js';
import { performInThread } from './threads.js';

export interface IndexOptions {
  /** Locked for this index alone. Without it everything stays in memory. */
  readonly folder?: string | undefined;
  readonly partition: number;
  /** A table of so many entries is full. */
  readonly tableEntries?: number;
  readonly perform?: Perform;
  /** Called after every change of a file on this thread. */
  readonly onChange?: () => void;
  /** Resolves when files may be written. */
  readonly ready?: Promise<void>;
  /** Files cannot be written: full tables stay in memory until it works again. Called once for a series. */
  readonly onFailed?: (error: unknown) => void;
  /** The index cannot be used any more. Called once. */
  readonly onBroken?: (error: Error) => void;
}

export const START: Checkpoint = { seq: 0, hash: new Uint8Array() };
/** 3 MB. */
const TABLE_ENTRIES = 1 << 16;
/** A table this small is written at once, without a thread: that takes about 2 ms. */
const SMALL = 2_048;

interface Sealed {
  readonly table: IndexTable;
  readonly upTo: Checkpoint;
}

export class JobIndex {
  /** The last commit that was taken in. */
  last = START;
  /** The last commit that is on disk. */
  stored = START;
  private journalId = '';
  private table = new IndexTable();
  /** Oldest first, as `runs`. */
  private sealed: Sealed[] = [];
  private runs: readonly SortedRun[] = [];
  private nextRun = 1;
  private storing: Promise<void>;
  private merging: Promise<void> | undefined;
  private readonly cancelled = new Int32Array(new SharedArrayBuffer(4));
  private failing = false;
  private isBroken = false;
  private isClosed = false;
  private readonly tableEntries: number;

  constructor(private readonly options: IndexOptions) {
    this.tableEntries = options.tableEntries ?? TABLE_ENTRIES;
    this.storing = (options.ready ?? Promise.resolve()).catch((error: unknown) => this.failed(error));
  }

  /** @throws BrokenIndex */
  static async open(options: IndexOptions & { readonly folder: string }, manifest: Manifest): Promise<JobIndex> {
    const index = new JobIndex(options);
    const opened: SortedRun[] = [];
    try {
      for (const header of manifest.runs) {
        const run = await SortedRun.open(runPath(options.folder, header.run), header.run);
        opened.push(run);
        if (run.header.fence !== header.fence || run.header.entries !== header.entries) {
          throw new BrokenIndex(`run ${header.run} is not the one that the manifest names`);
        }
      }
    } catch (error) {
      for (const run of opened) await run.close();
      throw error;
    }
    index.runs = opened;
    index.last = index.stored = { seq: manifest.seq, hash: Buffer.from(manifest.hash, 'hex') };
    index.journalId = manifest.journalId;
    index.nextRun = manifest.next;
    return index;
  }

  /** @param isFirst whether the job began in the commit at `seq` @param status from 1 to 65,535 */
  set(id: string, seq: number, status: number, isFirst: boolean): void {
    this.table.set(id, seq, status, isFirst);
  }

  /** To be called after the last entry of every commit. */
  committed({ seq, hash, journalId }: Pick<Committed, 'seq' | 'hash' | 'journalId'>): void {
    this.last = { seq, hash };
    this.journalId = journalId;
    if (this.table.size >= this.tableEntries) this.seal();
  }

  /** @throws BrokenIndex */
  async find(id: string): Promise<Entry | undefined> {
    const { runs, sealed } = this;
    let found = this.table.get(id);
    for (let nth = sealed.length - 1; nth >= 0 && !found?.firstSeq; nth -= 1) {
      found = combined(sealed[nth]!.table.get(id), found);
    }
    const key = parseKey(id, { high: 0, middle: 0, low: 0 });
    try {
      // What is newer than the job's beginning has been looked through by the time that it is found.
      for (let nth = runs.length - 1; nth >= 0 && !found?.firstSeq; nth -= 1) {
        found = combined(await runs[nth]!.find(key), found);
      }
    } catch (error) {
      // Runs that were merged meanwhile are closed.
      if (this.runs !== runs && !this.isClosed) return this.find(id);
      this.broke(error as Error);
      throw error;
    }
    return found;
  }

  /** Resolves when everything is on disk that was taken in so far, or could not be written. */
  save(): Promise<void> {
    if (this.last.seq > (this.sealed.at(-1)?.upTo ?? this.stored).seq) this.seal();
    else if (this.sealed.length > 0) this.storeLater();
    return this.storing;
  }

  /** Resolves when nothing is written or merged any more. */
  async settled(): Promise<void> {
    await this.storing;
    while (this.merging) await this.merging;
  }

  /** Saves, and ends. */
  async close(): Promise<void> {
    if (this.isClosed) return;
    if (!this.isBroken) void this.save();
    this.isClosed = true;
    Atomics.store(this.cancelled, 0, 1);
    await this.settled();
    for (const run of this.runs) await run.close();
  }

  private seal(): void {
    this.sealed = [...this.sealed, { table: this.table, upTo: this.last }];
    // The next table has its full size at once if this one needed it: growing moves all entries.
    const slots = this.table.size < this.tableEntries ? undefined : 2 ** Math.ceil(Math.log2(this.table.size / 0.7));
    this.table = new IndexTable(slots);
    this.storeLater();
  }

  private storeLater(): void {
    const { folder } = this.options;
    if (folder !== undefined) this.storing = this.storing.then(() => this.storeAll(folder));
  }

  private async storeAll(folder: string): Promise<void> {
    try {
      for (let [sealed] = this.sealed; sealed && !this.isBroken; [sealed] = this.sealed) {
        await this.store(folder, sealed);
        this.failing = false;
      }
      this.merging ??= this.mergeAll(folder).finally(() => (this.merging = undefined));
    } catch (error) {
      this.failed(error);
    }
  }

  private async store(folder: string, { table, upTo }: Sealed): Promise<void> {
    let written: SortedRun | undefined;
    if (table.size > 0) {
      const run = this.nextRun;
      this.nextRun += 1;
      const task = { kind: 'write', path: runPath(folder, run), run, slots: table.slots } as const;
      if (this.options.perform) await this.options.perform(task);
      else if (table.size <= SMALL) performNow(task, this.options.onChange);
      else await performInThread(task);
      written = await SortedRun.open(task.path, run);
    }
    await this.replace(folder, (runs) => (written ? [...runs, written] : runs), upTo, written);
    this.sealed = this.sealed.slice(1);
    if (table.size >= this.tableEntries) table.recycle();
  }

  /** After the manifest is written, look-ups use the new runs. @param added is closed if that fails */
  private async replace(
    folder: string, change: (runs: readonly SortedRun[]) => readonly SortedRun[], upTo: Checkpoint,
    added: SortedRun | undefined,
  ): Promise<void> {
    const { journalId, nextRun: next, options: { partition, onChange = () => {} } } = this;
    const { seq } = upTo;
    const hash = Buffer.from(upTo.hash).toString('hex');
    const runs = change(this.runs);
    try {
      const headers = runs.map(({ header }) => header);
      await writeManifest(folder, { journalId, partition, seq, hash, next, runs: headers }, onChange);
    } catch (error) {
      await added?.close();
      throw error;
    }
    this.runs = runs;
    this.stored = upTo;
  }

  private async mergeAll(folder: string): Promise<void> {
    try {
      for (;;) {
        const inputs = runsToMerge(this.runs, this.tableEntries);
        if (inputs.length === 0 || this.isClosed || this.isBroken) return;
        await this.merge(folder, inputs);
      }
    } catch (error) {
      this.failed(error);
    }
  }

  private async merge(folder: string, inputs: readonly SortedRun[]): Promise<void> {
    const run = this.nextRun;
    this.nextRun += 1;
    const path = runPath(folder, run);
    const files = inputs.map((input) => ({ path: input.path, run: input.header.run, blocks: input.header.blocks }));
    await (this.options.perform ?? performInThread)({
      kind: 'merge', path, run, inputs: files, cancelled: this.cancelled,
    });
    const merged = await SortedRun.open(path, run);
    // Runs that were stored meanwhile are newer and come behind. One manifest is written after the other.
    const change = (runs: readonly SortedRun[]): SortedRun[] =>
      runs.toSpliced(runs.indexOf(inputs[0]!), inputs.length, merged);
    const replaced = this.storing.then(() => this.replace(folder, change, this.stored, merged));
    this.storing = replaced.catch(() => {});
    await replaced;
    for (const input of inputs) {
      await input.close();
      await rm(input.path, { force: true });
      this.options.onChange?.();
    }
  }

  private failed(error: unknown): void {
    if (error instanceof Cancelled) return;
    if (error instanceof BrokenIndex) return this.broke(error);
    if (!this.failing) this.options.onFailed?.(error);
    this.failing = true;
  }

  private broke(error: Error): void {
    if (this.isBroken || this.isClosed) return;
    this.isBroken = true;
    Atomics.store(this.cancelled, 0, 1);
    this.options.onBroken?.(error);
  }
}
