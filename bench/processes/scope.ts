/** Everything that was started or made, to be ended in reverse order: at the end, on failure, and when interrupted. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Scope {
  readonly #ends: (() => Promise<void>)[] = [];
  #ending: Promise<void> | undefined;

  /** Ended before everything that was added earlier. */
  add(end: () => Promise<void>): void {
    // Who was still starting something when the scope ended gets it ended at once.
    if (this.#ending) void this.#ending.then(end);
    else this.#ends.push(end);
  }

  async temporaryFolder(name: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), `reprise-bench-${name}-`));
    this.add(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  get isEnding(): boolean {
    return this.#ending !== undefined;
  }

  end(): Promise<void> {
    return (this.#ending ??= this.#endAll());
  }

  async #endAll(): Promise<void> {
    for (let end = this.#ends.pop(); end !== undefined; end = this.#ends.pop()) {
      // One that cannot be ended must not keep the others alive.
      await end().catch((error: unknown) => process.stderr.write(`Not ended cleanly: ${String(error)}\n`));
    }
  }
}
