/**
 * Rows of numbers in pages of memory, for actors that may be a million: a row takes its bytes, and the garbage
 * collector scans none of them. A page may be frozen for a snapshot, which costs nothing: it is copied when a row of it
 * is written after that. Values that few rows have are objects beside them, which are replaced and never changed.
 */
const PAGE_BITS = 10;
export const PAGE_ROWS = 1 << PAGE_BITS;
const IN_PAGE = PAGE_ROWS - 1;

/** A page, and its part of every column. */
export class Page<O> {
  readonly bytes: Buffer;
  readonly u32: Uint32Array;
  readonly f64: Float64Array;
  /** SHA-256 of the page as it is in a snapshot; undefined since the latest write. */
  hash: Buffer | undefined;

  /** @param epoch a page of an earlier epoch is frozen @param objects by the number of the row in the page */
  constructor(
    readonly epoch: number,
    memory: ArrayBuffer,
    readonly objects: (O | undefined)[],
  ) {
    this.bytes = Buffer.from(memory);
    this.u32 = new Uint32Array(memory);
    this.f64 = new Float64Array(memory);
  }

  setObject(at: number, object: O | undefined): void {
    const { objects } = this;
    // An array without holes, made when the first row of the page has an object.
    if (objects.length === 0) for (let nth = 0; nth < PAGE_ROWS; nth += 1) objects.push(undefined);
    objects[at] = object;
  }

  copy(epoch: number): Page<O> {
    const { buffer } = this.u32;
    return new Page(epoch, buffer.slice(0) as ArrayBuffer, this.objects.slice());
  }
}

/** Where {@link Rows.remove} has the next free row, plus one: at the beginning of the row. */
const NEXT_FREE = 0;

export class Rows<O = never> {
  /** Rows that were ever in use at one time. */
  end = 0;
  /** Rows in use. */
  size = 0;
  private pages: Page<O>[] = [];
  private epoch = 0;
  /** The first free row below `end`, plus one. Rows are used again in an order that the journal alone decides. */
  private free = 0;
  private readonly words: number;

  /** @param rowBytes a multiple of 8 */
  constructor(readonly rowBytes: number) {
    this.words = rowBytes / 4;
  }

  get pageBytes(): number {
    return this.rowBytes * PAGE_ROWS;
  }

  /** A row of zeros. */
  add(): number {
    this.size += 1;
    if (this.free === 0) return this.append();
    const row = this.free - 1;
    const { u32 } = this.write(row);
    const at = (row & IN_PAGE) * this.words + NEXT_FREE;
    this.free = u32[at]!;
    u32[at] = 0;
    return row;
  }

  remove(row: number): void {
    const page = this.write(row);
    const at = (row & IN_PAGE) * this.words;
    page.u32.fill(0, at, at + this.words);
    page.u32[at + NEXT_FREE] = this.free;
    if (page.objects.length > 0) page.objects[row & IN_PAGE] = undefined;
    this.free = row + 1;
    this.size -= 1;
  }

  read(row: number): Page<O> {
    return this.pages[row >>> PAGE_BITS]!;
  }

  write(row: number): Page<O> {
    const nth = row >>> PAGE_BITS;
    const page = this.pages[nth]!;
    if (page.epoch === this.epoch) {
      page.hash = undefined;
      return page;
    }
    return (this.pages[nth] = page.copy(this.epoch));
  }

  /** The value beside a row. */
  object(row: number): O | undefined {
    return this.read(row).objects[row & IN_PAGE];
  }

  setObject(row: number, value: O | undefined): void {
    this.write(row).setObject(row & IN_PAGE, value);
  }

  /** What is written from now on is not seen in these pages. */
  freeze(): FrozenRows<O> {
    this.epoch += 1;
    const { end, size, free } = this;
    return { end, size, free, pages: this.pages.slice() };
  }

  /** Instead of all rows. @param epoch of the pages if they are used by nothing else; otherwise they are copied */
  restore({ end, size, free, pages }: FrozenRows<O>, epoch = afterAll(pages)): void {
    Object.assign(this, { end, size, free, pages: [...pages], epoch });
  }

  private append(): number {
    const row = this.end;
    this.end += 1;
    if ((row & IN_PAGE) === 0) this.pages.push(new Page(this.epoch, new ArrayBuffer(this.pageBytes), []));
    return row;
  }
}

const afterAll = (pages: readonly { readonly epoch: number }[]): number =>
  pages.reduce((latest, { epoch }) => Math.max(latest, epoch), 0) + 1;

export interface FrozenRows<O> {
  readonly end: number;
  readonly size: number;
  readonly free: number;
  readonly pages: readonly Page<O>[];
}

/** Index of the first word of a row in its page. */
export const wordAt = (row: number, words: number): number => (row & IN_PAGE) * words;
