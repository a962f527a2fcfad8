/**
 * Rows that leave in the order in which they came: like {@link Rows}, but a page whose rows have all left is dropped,
 * and no row is used again. Rows are numbered round and round, so numbers stay small.
 */
import { listIn, listPart, pageIn, PagePart, type Part, type PartBytes } from './parts.js';
import { Page, PAGE_ROWS } from './rows.js';

const PAGE_BITS = Math.log2(PAGE_ROWS);
const IN_PAGE = PAGE_ROWS - 1;
/** A row's number is below 2^30. */
const IN_NUMBERS = (1 << 30) - 1;

export class RowQueue<O = never> {
  /** The oldest row. */
  first = 0;
  size = 0;
  private pages: Page<O>[] = [];
  private epoch = 0;
  private readonly words: number;

  /** @param rowBytes a multiple of 8 @param first number of the first row, which tests choose */
  constructor(readonly rowBytes: number, first = 0) {
    this.words = rowBytes / 4;
    this.first = first;
  }

  /** Memory of the rows, apart from the objects beside them. */
  get bytes(): number {
    return this.pages.length * this.pageBytes;
  }

  /** The row that came `nth` after the oldest. */
  nth(nth: number): number {
    return (this.first + nth) & IN_NUMBERS;
  }

  /** A row of zeros, the newest. */
  push(): number {
    const row = this.nth(this.size);
    this.size += 1;
    if (this.pageOf(row) === this.pages.length) {
      this.pages.push(new Page<O>(this.epoch, new ArrayBuffer(this.pageBytes), []));
    }
    return row;
  }

  /** Removes the oldest row. There must be one. */
  shift(): void {
    const row = this.first;
    const isLastOfPage = (row & IN_PAGE) === IN_PAGE;
    if (isLastOfPage) this.pages.shift();
    else this.blank(row);
    this.first = (row + 1) & IN_NUMBERS;
    this.size -= 1;
  }

  read(row: number): Page<O> {
    return this.pages[this.pageOf(row)]!;
  }

  write(row: number): Page<O> {
    const nth = this.pageOf(row);
    const page = this.pages[nth]!;
    if (page.epoch !== this.epoch) return (this.pages[nth] = page.copy(this.epoch));
    page.hash = undefined;
    return page;
  }

  /** The value beside a row. */
  object(row: number): O | undefined {
    return this.read(row).objects[row & IN_PAGE];
  }

  setObject(row: number, value: O): void {
    this.write(row).setObject(row & IN_PAGE, value);
  }

  /** All rows as they are now. A page has the same name as long as it is there. */
  freeze(name: string): Part[] {
    this.epoch += 1;
    const { first, size, rowBytes, pages } = this;
    const head: Head = { first, size, rowBytes, pages: pages.length };
    return [listPart(name, head), ...pages.map((page, nth) => new PagePart(name, pageNumber(first, nth), page))];
  }

  /** Instead of all rows. @throws RangeError if parts are missing or are those of another table */
  thaw(name: string, parts: PartBytes): void {
    const { first, size, rowBytes, pages } = listIn<Head>(parts, name);
    if (rowBytes !== this.rowBytes) throw new RangeError(`${name} has rows of ${rowBytes} bytes, not ${this.rowBytes}`);
    const { pageBytes } = this;
    const numbers = Array.from({ length: pages }, (_, nth) => pageNumber(first, nth));
    this.pages = numbers.map((number) => pageIn<O>(parts, `${name}/${number}`, pageBytes));
    Object.assign(this, { first, size, epoch: 0 });
  }

  private get pageBytes(): number {
    return this.rowBytes * PAGE_ROWS;
  }

  private pageOf(row: number): number {
    return ((row - (this.first & ~IN_PAGE)) & IN_NUMBERS) >>> PAGE_BITS;
  }

  private blank(row: number): void {
    const page = this.write(row);
    const at = (row & IN_PAGE) * this.words;
    page.u32.fill(0, at, at + this.words);
    if (page.objects.length > 0) page.objects[row & IN_PAGE] = undefined;
  }
}

interface Head {
  readonly first: number;
  readonly size: number;
  readonly rowBytes: number;
  readonly pages: number;
}

const pageNumber = (first: number, nth: number): number =>
  (((first & ~IN_PAGE) + nth * PAGE_ROWS) & IN_NUMBERS) >>> PAGE_BITS;
