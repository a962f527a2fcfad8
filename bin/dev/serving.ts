/** Reloads the workers of `dev` when files of performers change, and prints what they perform. */
import { RepriseError } from '../../protocols/errors.js';
import type { Stack } from '../supervisor/stack.js';
import type { PerformerFolders } from './performers.js';
import { onChange } from './watch.js';

export class Serving {
  private readonly stops: readonly (() => void)[];

  /** @param folder the one that the workers were started with */
  constructor(
    private readonly stack: Stack,
    private readonly folders: PerformerFolders,
    private folder: string,
    private readonly print: (line: string) => void,
  ) {
    this.stops = folders.watched.map((each) => onChange(each, () => void this.changed(each)));
  }

  stop(): void {
    for (const stop of this.stops) stop();
  }

  private async changed(where: string): Promise<void> {
    const before = this.folder;
    const wanted = this.current();
    if (wanted === undefined || (where !== wanted && wanted === before)) return;
    const why = wanted === before ? 'A performer changed' : `Performers are now loaded from ${wanted}`;
    this.print(`${why}: the workers are replaced.`);
    const replaced = await this.stack.reload([wanted]);
    if (replaced) this.folder = wanted;
    const what = replaced ? 'The workers perform' : 'The workers were not replaced and still perform';
    this.print(`${what}: ${this.stack.serves.join(', ')} of ${this.folder}.`);
  }

  private current(): string | undefined {
    try {
      return this.folders.current();
    } catch (error) {
      if (!(error instanceof RepriseError)) throw error;
      this.print(`${error.message} The workers still perform: ${this.stack.serves.join(', ')}.`);
      return undefined;
    }
  }
}
