/**
 * Contents that outlive the journal's reach: payloads of jobs that have not ended when their commits are truncated. So
 * a job that is due in a year keeps no journal. They are in the object store of snapshots, in objects of about 1 MiB,
 * each until no job of the state needs it any more.
 */
import { setImmediate as soon } from 'node:timers/promises';
import { z } from 'zod';
import type { JournalId, Partition } from '../../protocols/ids.js';
import { tryRead } from '../../protocols/try-read.js';
import type { ObjectPlace } from './objects.js';

/** Where a content was in the journal: event `index` of the commit at `seq`. */
export interface Place {
  readonly seq: number;
  readonly index: number;
}

const KEY = 'reprise.carried';
const OBJECT_BYTES = 1 << 20;
/** Of an entry, before its bytes: seq in 6 bytes, index in 4, length in 4. */
const HEAD_BYTES = 14;
const SEQ_DIGITS = 16;
/** Places that are looked at in one turn of the loop, and contents that are copied if they are in memory. */
const AT_ONCE = 10_000;
const READ_AT_ONCE = 200;
/** Places of so many commits are sorted at once. */
const COMMITS_SORTED = 32;
/** How many objects are kept as they were read. */
const CACHED = 8;

const place = z.object({ seq: z.int().min(1), index: z.int().min(0) });
const shape = z.object({ partition: z.int(), journalId: z.string(), first: place, last: place });

interface Carrier extends z.infer<typeof shape> {
  readonly name: string;
}

export class Carried {
  /** In the order of the journal. */
  private carriers: Carrier[] = [];
  private readonly cache = new Map<string, Promise<ReadonlyMap<string, Buffer>>>();

  constructor(
    private readonly objects: ObjectPlace,
    private readonly partition: Partition,
  ) {}

  /** What is there of a journal. To be called before {@link find}. */
  async open(journalId: JournalId | ''): Promise<void> {
    const all = await this.objects.list();
    const found = all.flatMap(({ name, metadata }): Carrier[] => {
      const of = shape.safeParse(tryRead(() => JSON.parse(metadata?.[KEY] ?? 'null') as unknown)).data;
      return of?.partition === this.partition && of.journalId === journalId ? [{ ...of, name }] : [];
    });
    this.carriers = found.sort((a, b) => compare(a.first, b.first));
  }

  /** @returns undefined if it is not carried */
  async find(of: Place): Promise<Buffer | undefined> {
    for (const carrier of this.carriers) {
      if (compare(of, carrier.first) < 0 || compare(of, carrier.last) > 0) continue;
      const found = (await this.read(carrier.name)).get(keyOf(of));
      if (found) return found;
    }
    return undefined;
  }

  /**
   * Writes contents, in the order of the journal. Written twice they are there twice, which harms nothing.
   * @param read undefined: the content was removed
   */
  async carry(
    journalId: JournalId, places: readonly Place[], read: (of: Place) => Promise<Uint8Array | undefined>,
  ): Promise<void> {
    let entries: Buffer[] = [];
    let bytes = 0;
    let [first, last]: (Place | undefined)[] = [];
    const flush = async (): Promise<void> => {
      if (first && last && entries.length > 0) {
        await this.put({ partition: this.partition, journalId, first, last }, entries);
      }
      [entries, bytes, first] = [[], 0, undefined];
    };
    for await (const of of inOrder(places)) {
      const content = await read(of);
      if (content) entries.push(headOf(of, content.length), Buffer.from(content));
      if (content) bytes += HEAD_BYTES + content.length;
      [first, last] = [first ?? of, of];
      if (bytes >= OBJECT_BYTES) await flush();
    }
    await flush();
  }

  /** The objects that are there now, to be kept or removed. */
  get all(): Kept {
    return new Kept(this.carriers);
  }

  /** Removes the objects without a content that was marked as needed. What was written since is kept. */
  async keep(kept: Kept): Promise<void> {
    const unused = new Set(kept.unused);
    this.carriers = this.carriers.filter((carrier) => !unused.has(carrier));
    // What a crash left may have been written again, under its name.
    const written = new Set(this.carriers.map(({ name }) => name));
    for (const { name } of unused) if (!written.has(name)) await this.objects.remove(name);
  }

  private async put(of: z.infer<typeof shape>, entries: readonly Buffer[]): Promise<void> {
    // With the last place: a deposed leader that carries less must not overwrite what its successor carries.
    const name = `carried/${of.partition}/${of.journalId}/${nameOf(of.first)}-${nameOf(of.last)}`;
    await this.objects.put(name, { [KEY]: JSON.stringify(of) }, Buffer.concat(entries));
    this.carriers = [...this.carriers.filter((each) => each.name !== name), { ...of, name }]
      .sort((a, b) => compare(a.first, b.first));
    this.cache.delete(name);
  }

  private read(name: string): Promise<ReadonlyMap<string, Buffer>> {
    const known = this.cache.get(name);
    if (known) return known;
    const read = this.objects.get(name).then(entriesIn);
    read.catch(() => this.cache.delete(name));
    this.cache.set(name, read);
    for (const oldest of this.cache.keys()) {
      if (this.cache.size <= CACHED) break;
      this.cache.delete(oldest);
    }
    return read;
  }
}

/** Which objects have a content that is still needed. */
class Kept {
  private readonly used: boolean[] = [];
  /** For each, the last place that it or any before it may have. */
  private readonly reach: Place[] = [];

  /** @param carriers in the order of the journal */
  constructor(private readonly carriers: readonly Carrier[]) {
    let far: Place = { seq: 0, index: 0 };
    for (const { last } of carriers) this.reach.push((far = compare(last, far) > 0 ? last : far));
  }

  /** Logarithmic: it is called for each of perhaps a million jobs. */
  need(of: Place): void {
    let [from, to] = [0, this.carriers.length];
    while (from < to) {
      const middle = (from + to) >> 1;
      if (compare(this.carriers[middle]!.first, of) <= 0) from = middle + 1;
      else to = middle;
    }
    // Objects overlap only where a crash made one twice, and then one may lie within another.
    for (let nth = from - 1; nth >= 0 && compare(this.reach[nth]!, of) >= 0; nth -= 1) {
      if (compare(this.carriers[nth]!.last, of) >= 0) this.used[nth] = true;
    }
  }

  get unused(): readonly Carrier[] {
    return this.carriers.filter((_, nth) => !this.used[nth]);
  }
}

const nameOf = ({ seq, index }: Place): string => `${String(seq).padStart(SEQ_DIGITS, '0')}.${index}`;

const keyOf = ({ seq, index }: Place): string => `${seq}.${index}`;

/** In the order of the journal. In slices, because there may be a million, and commands would wait for it. */
async function* inOrder(places: readonly Place[]): AsyncGenerator<Place> {
  const groups = new Map<number, Place[]>();
  let looked = 0;
  for (const of of places) {
    const group = Math.floor(of.seq / COMMITS_SORTED);
    const others = groups.get(group);
    if (others) others.push(of);
    else groups.set(group, [of]);
    looked += 1;
    if (looked % AT_ONCE === 0) await soon();
  }
  for (const [, group] of [...groups].sort(([a], [b]) => a - b)) {
    for (const of of group.sort(compare)) {
      looked += 1;
      if (looked % READ_AT_ONCE === 0) await soon();
      yield of;
    }
  }
}

export const compare = (a: Place, b: Place): number => a.seq - b.seq || a.index - b.index;

function headOf({ seq, index }: Place, length: number): Buffer {
  const head = Buffer.allocUnsafe(HEAD_BYTES);
  head.writeUIntBE(seq, 0, 6);
  head.writeUInt32BE(index, 6);
  head.writeUInt32BE(length, 10);
  return head;
}

function entriesIn(bytes: Buffer): ReadonlyMap<string, Buffer> {
  const entries = new Map<string, Buffer>();
  for (let at = 0; at < bytes.length; ) {
    const from = at + HEAD_BYTES;
    const end = from + bytes.readUInt32BE(at + 10);
    if (end > bytes.length) throw new RangeError('carried contents are not whole');
    entries.set(keyOf({ seq: bytes.readUIntBE(at, 6), index: bytes.readUInt32BE(at + 6) }), bytes.subarray(from, end));
    at = end;
  }
  return entries;
}
