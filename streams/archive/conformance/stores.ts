/** Stores for tests of archives: in memory, and one that fails at its nth operation as a crash does. Tests only. */
import { RepriseError } from '../../../protocols/errors.js';
import { checkName, type ArchiveStore, type ByteRange } from '../store.js';

export class MemoryStore implements ArchiveStore {
  readonly location = 'memory';
  readonly objects = new Map<string, Uint8Array>();

  async put(name: string, parts: readonly Uint8Array[]): Promise<void> {
    checkName(name);
    this.objects.set(name, Buffer.concat(parts));
  }

  async create(name: string, parts: readonly Uint8Array[]): Promise<boolean> {
    if (this.objects.has(name)) return false;
    await this.put(name, parts);
    return true;
  }

  async get(name: string, range?: ByteRange): Promise<Uint8Array | undefined> {
    const bytes = this.objects.get(name);
    return range === undefined ? bytes : bytes?.subarray(range.from, range.to);
  }

  async list(prefix: string): Promise<readonly string[]> {
    return [...this.objects.keys()].filter((name) => name.startsWith(prefix)).sort();
  }

  async remove(name: string): Promise<void> {
    this.objects.delete(name);
  }

  close(): void {
    // It is in memory.
  }
}

/** Fails at one operation and at all that follow: before it is done, or after. */
export class CrashingStore implements ArchiveStore {
  readonly location = 'crashing';
  operations = 0;

  constructor(
    private readonly inside: ArchiveStore,
    /** From 1. */
    private readonly crashAt: number,
    private readonly isDone: boolean,
  ) {}

  put = (name: string, parts: readonly Uint8Array[]): Promise<void> => this.through(() => this.inside.put(name, parts));
  create = (name: string, parts: readonly Uint8Array[]): Promise<boolean> =>
    this.through(() => this.inside.create(name, parts));
  get = (name: string, range?: ByteRange): Promise<Uint8Array | undefined> =>
    this.through(() => this.inside.get(name, range));
  list = (prefix: string): Promise<readonly string[]> => this.through(() => this.inside.list(prefix));
  remove = (name: string): Promise<void> => this.through(() => this.inside.remove(name));
  close = (): void => this.inside.close();

  private async through<T>(act: () => Promise<T>): Promise<T> {
    this.operations += 1;
    if (this.operations === this.crashAt && this.isDone) await act();
    if (this.operations >= this.crashAt) throw new RepriseError('ARCHIVE_UNREACHABLE', 'A crash.');
    return await act();
  }
}
