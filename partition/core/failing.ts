/**
 * Actors in whose turns leaders of this process broke, because a decision threw. The journal has nothing of such a
 * turn, so the next leader would break again. From the second time on it sets the actor aside, and leads.
 */
export interface Suspect {
  readonly kind: string;
  readonly id: string;
}

interface Failed extends Suspect {
  readonly times: number;
  readonly error: string;
}

/** What broke leaders of this process. Shared by them, one after another. */
export interface Broken {
  /** Commands of other partitions, by origin and sequence, with the error: see deliveries.ts. */
  readonly broken: Map<string, string>;
  readonly failing: Failing;
}

export const newBroken = (): Broken => ({ broken: new Map(), failing: new Failing() });

const OFTEN = 2;
/** Beyond it the oldest are forgotten. */
const MOST = 1_000;

export class Failing {
  private readonly byName = new Map<string, Failed>();

  note({ kind, id }: Suspect, error: string): void {
    const name = `${kind} ${id}`;
    const times = (this.byName.get(name)?.times ?? 0) + 1;
    this.byName.delete(name);
    this.byName.set(name, { kind, id, times, error });
    for (const oldest of this.byName.keys()) {
      if (this.byName.size <= MOST) return;
      this.byName.delete(oldest);
    }
  }

  /** Those that are to be set aside. They are forgotten by this. */
  takeRepeated(): readonly Failed[] {
    const repeated = [...this.byName].filter(([, { times }]) => times >= OFTEN);
    for (const [name] of repeated) this.byName.delete(name);
    return repeated.map(([, failed]) => failed);
  }
}
