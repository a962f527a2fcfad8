/** One ability for all sessions that say the same of themselves: what is found out for one of them is known for all. */
import type { ReadonlyLine } from '../job/line.js';
import { Ability, type Offering } from './ability.js';

interface Shared {
  readonly ability: Ability;
  sessions: number;
}

export class Abilities {
  private readonly byText = new Map<string, Shared>();
  private readonly textOf = new WeakMap<Ability, string>();

  /** For one more session. */
  take(offering: Offering): Ability {
    const text = textOf(offering);
    let shared = this.byText.get(text);
    if (shared === undefined) {
      shared = { ability: new Ability(offering), sessions: 0 };
      this.byText.set(text, shared);
      this.textOf.set(shared.ability, text);
    }
    shared.sessions += 1;
    return shared.ability;
  }

  /** Whether any session could do the jobs of a line, also one that gets no more leases. */
  canDo(line: ReadonlyLine): boolean {
    for (const { ability } of this.byText.values()) if (ability.canDo(line)) return true;
    return false;
  }

  /** A session less has it. */
  drop(ability: Ability): void {
    const text = this.textOf.get(ability)!;
    const shared = this.byText.get(text);
    if (shared?.ability !== ability) return;
    shared.sessions -= 1;
    if (shared.sessions === 0) this.byText.delete(text);
  }
}

function textOf({ types, queues, weights, capabilities }: Offering): string {
  const named = [[...types].sort(), queues && [...queues].sort(), weights && [...weights].sort()];
  return JSON.stringify([...named, capabilities]);
}
