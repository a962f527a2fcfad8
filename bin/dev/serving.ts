/** Keeps the workers of `dev` on what the performers' files hold now, and says what they perform. */
import { RepriseError } from '../../protocols/errors.js';
import type { Stack } from '../supervisor/stack.js';
import type { PerformerFolders } from './performers.js';
import { onChange } from './watch.js';

export class Serving {
  readonly #stack: Stack;
  readonly #folders: PerformerFolders;
  readonly #say: (line: string) => void;
  readonly #stops: readonly (() => void)[];
  #folder: string;

  /** @param folder what the workers were started with */
  constructor(stack: Stack, folders: PerformerFolders, folder: string, say: (line: string) => void) {
    this.#stack = stack;
    this.#folders = folders;
    this.#folder = folder;
    this.#say = say;
    this.#stops = folders.watched.map((each) => onChange(each, () => void this.#changed(each)));
  }

  stop(): void {
    for (const stop of this.#stops) stop();
  }

  async #changed(where: string): Promise<void> {
    const before = this.#folder;
    const wanted = this.#current();
    if (wanted === undefined || (where !== wanted && wanted === before)) return;
    this.#say(wanted === before ? 'A performer changed: the workers are replaced.' : `Performers are in ${wanted} now: the workers are replaced.`);
    const replaced = await this.#stack.reload([wanted]);
    if (replaced) this.#folder = wanted;
    this.#say(`The workers ${replaced ? 'perform' : 'go on with what they had'}: ${this.#stack.serves.join(', ')} of ${this.#folder}.`);
  }

  #current(): string | undefined {
    try {
      return this.#folders.current();
    } catch (error) {
      if (!(error instanceof RepriseError)) throw error;
      this.#say(`${error.message} The workers go on with what they had: ${this.#stack.serves.join(', ')}.`);
      return undefined;
    }
  }
}
