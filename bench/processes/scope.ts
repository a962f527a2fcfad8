/** Ends what was started or created, in reverse order: at the end, on failure, and on an interrupt. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class Scope {
  private readonly ends: (() => Promise<void>)[] = [];
  private ending: Promise<void> | undefined;

  /** Ended before everything that was added earlier. */
  add(end: () => Promise<void>): void {
    // What is still starting when the scope ends is ended at once.
    if (this.ending) void this.ending.then(end);
    else this.ends.push(end);
  }

  async temporaryFolder(name: string): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), `reprise-bench-${name}-`));
    this.add(() => rm(folder, { recursive: true, force: true }));
    return folder;
  }

  get isEnding(): boolean {
    return this.ending !== undefined;
  }

  end(): Promise<void> {
    return (this.ending ??= this.endAll());
  }

  private async endAll(): Promise<void> {
    for (let end = this.ends.pop(); end !== undefined; end = this.ends.pop()) {
      // A failure must not keep the rest running.
      await end().catch((error: unknown) => {
        process.stderr.write(`A part of the benchmark did not end cleanly: ${String(error)}\n`);
      });
    }
  }
}
