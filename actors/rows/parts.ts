/**
 * The parts of a state in a snapshot: pages of rows, and lists as JSON. They are taken at one moment and encoded later,
 * so no command waits for that. Equal journals make equal parts, so the hash of all parts is the hash of the state, and
 * the hash of a page that was not written since is still known.
 */
import { hash } from 'node:crypto';
import type { StatePart } from '../../streams/snapshots/blocks.js';
import { Page, Rows, type FrozenRows } from './rows.js';

export type Part = StatePart;

/** Parts that were read back, by name. */
export type PartBytes = ReadonlyMap<string, Buffer>;

const sha256 = (bytes: Uint8Array): Buffer => hash('sha256', bytes, 'buffer');

/** Of plain data that is small, because it is encoded at once. */
export function listPart(name: string, list: unknown): Part {
  const bytes = Buffer.from(JSON.stringify(list));
  let hashed: Buffer | undefined;
  return { name, bytes: () => bytes, hash: () => (hashed ??= sha256(bytes)) };
}

/** @throws RangeError if the part is missing */
export function listIn<T>(parts: PartBytes, name: string): T {
  return JSON.parse(partIn(parts, name).toString()) as T;
}

/** All rows of a table as they are now. */
export function rowParts<O>(name: string, rows: Rows<O>): Part[] {
  const { pages, ...rest } = rows.freeze();
  const head = listPart(name, { ...rest, pages: pages.length, rowBytes: rows.rowBytes });
  return [head, ...pages.map((page, nth) => new PagePart(name, nth, page))];
}

type Head = Omit<FrozenRows<never>, 'pages'> & { readonly pages: number; readonly rowBytes: number };

/**
 * Instead of all rows of a table, which use the memory of the parts.
 * @throws RangeError if parts are missing or are those of another table
 */
export function restoreRows<O>(rows: Rows<O>, parts: PartBytes, name: string): void {
  const { end, size, free, pages, rowBytes } = listIn<Head>(parts, name);
  if (rowBytes !== rows.rowBytes) throw new RangeError(`${name} has rows of ${rowBytes} bytes, not ${rows.rowBytes}`);
  const read = Array.from({ length: pages }, (_, nth) => pageIn<O>(parts, `${name}/${nth}`, rows.pageBytes));
  rows.restore({ end, size, free, pages: read }, 0);
}

/** @throws RangeError if the part is missing */
function partIn(parts: PartBytes, name: string): Buffer {
  const bytes = parts.get(name);
  if (bytes === undefined) throw new RangeError(`the part ${name} is missing`);
  return bytes;
}

/** One small object a page, because there may be thousands, and the next command waits for them. */
export class PagePart<O> implements Part {
  constructor(
    private readonly of: string,
    private readonly nth: number,
    private readonly page: Page<O>,
  ) {}

  get name(): string {
    return `${this.of}/${this.nth}`;
  }

  /** The rows, then the objects beside them as `[row in the page, object]`; nothing if there are none. */
  bytes(): Buffer {
    const { page } = this;
    const objects = page.objects.flatMap((object, at) => (object === undefined ? [] : [[at, object]]));
    return objects.length === 0 ? page.bytes : Buffer.concat([page.bytes, Buffer.from(JSON.stringify(objects))]);
  }

  hash(): Buffer {
    return (this.page.hash ??= sha256(this.bytes()));
  }
}

/** Takes the memory of the part if it holds nothing else. @throws RangeError if the part is missing */
export function pageIn<O>(parts: PartBytes, name: string, pageBytes: number): Page<O> {
  const bytes = partIn(parts, name);
  if (bytes.length < pageBytes) throw new RangeError(`the part ${name} has ${bytes.length} bytes of ${pageBytes}`);
  const { buffer, byteOffset: from } = bytes;
  const isAlone = buffer.byteLength === pageBytes;
  const memory = (isAlone ? buffer : buffer.slice(from, from + pageBytes)) as ArrayBuffer;
  const page = new Page<O>(0, memory, []);
  if (bytes.length === pageBytes) return page;
  const objects = JSON.parse(bytes.toString('utf8', pageBytes)) as [number, O][];
  for (const [at, object] of objects) page.setObject(at, object);
  return page;
}

/** The hash of a state: of the names and hashes of its parts. */
export function stateHash(parts: readonly Hashed[]): Buffer {
  return sha256(Buffer.concat(parts.flatMap((part) => [Buffer.from(`${part.name}\n`), part.hash()])));
}

type Hashed = Pick<Part, 'name' | 'hash'>;
