/** The actors of a partition that are set aside. Part of its state, folded like the rest of it. */
import type { AsideActor, AsideReading, Kept } from '../../actors/actor/aside.js';

interface Entry {
  actor: AsideActor;
  /** undefined: there was none, or its kind keeps none. */
  readonly kept: Kept | undefined;
}

type Keeps = readonly (Kept | null)[];

export class Aside implements AsideReading {
  private readonly byName = new Map<string, Entry>();

  get size(): number {
    return this.byName.size;
  }

  get(kind: string, id: string): AsideActor | undefined {
    return this.byName.size === 0 ? undefined : this.byName.get(nameOf(kind, id))?.actor;
  }

  kept(kind: string, id: string): Kept | undefined {
    return this.byName.get(nameOf(kind, id))?.kept;
  }

  /** Of all actors of a kind. */
  *keptOf(kind: string): Generator<Kept> {
    for (const { actor, kept } of this.byName.values()) if (actor.kind === kind && kept) yield kept;
  }

  /** In the order in which they were set aside. */
  *[Symbol.iterator](): Generator<AsideActor> {
    for (const { actor } of this.byName.values()) yield actor;
  }

  add(actor: AsideActor, kept: Kept | undefined): void {
    this.byName.set(nameOf(actor.kind, actor.id), { actor, kept });
  }

  /** Counts an event of an actor. @returns whether the actor is set aside, so that the event is not folded */
  skips(kind: string, id: string): boolean {
    if (this.byName.size === 0) return false;
    const entry = this.byName.get(nameOf(kind, id));
    if (entry === undefined) return false;
    entry.actor = { ...entry.actor, skipped: entry.actor.skipped + 1 };
    return true;
  }

  delete(kind: string, id: string): void {
    this.byName.delete(nameOf(kind, id));
  }

  /** undefined if there are none, so that views of older journals stay equal. */
  view(): readonly AsideActor[] | undefined {
    return this.size === 0 ? undefined : [...this];
  }

  /** What is kept of each. Not part of the view: how far an event was applied that failed is not for ever the same. */
  places(): Keeps | undefined {
    return this.size === 0 ? undefined : [...this.byName.values()].map(({ kept }) => kept ?? null);
  }

  /** @param view of {@link view}, @param places of {@link places}, perhaps through JSON */
  restore(view: readonly AsideActor[] | undefined, places: Keeps | undefined): void {
    view?.forEach((actor, nth) => this.add({ ...actor }, structuredClone(places?.[nth] ?? undefined)));
  }
}

/** Kinds have no spaces in their names. */
const nameOf = (kind: string, id: string): string => `${kind} ${id}`;
