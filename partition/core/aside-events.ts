/** Events of the partition itself that set an actor aside, or take it back. */
import type { Repair } from '../../actors/actor/aside.js';
import type { ActorEvent, EventTable } from '../../actors/kind.js';
import { journal } from '../../protocols/messages.js';

export interface AsideBodies {
  ActorSetAside: { readonly status: ''; readonly kind: string; readonly id: string; readonly why: string };
  ActorRepaired: { readonly status: '' } & Repair;
}
export type AsideEvent = ActorEvent & {
  [T in keyof AsideBodies]: { readonly type: T; readonly body: AsideBodies[T] };
}[keyof AsideBodies];

/** Of the release that can read them. */
const SINCE = 3;

export const ASIDE_EVENTS: EventTable<AsideEvent> = {
  ActorSetAside: { version: 1, message: journal.ActorSetAside, since: SINCE },
  ActorRepaired: { version: 1, message: journal.ActorRepaired, since: SINCE },
};
