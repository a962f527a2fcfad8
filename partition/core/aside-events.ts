/** Events of the partition itself that set an actor aside, or take it back. */
import type { ActorEvent, EventTable } from '../../actors/kind.js';
import { journal } from '../../protocols/messages.js';

interface Bodies {
  ActorSetAside: { readonly status: ''; readonly kind: string; readonly id: string; readonly why: string };
}
export type AsideEvent = ActorEvent & {
  [T in keyof Bodies]: { readonly type: T; readonly body: Bodies[T] };
}[keyof Bodies];

/** Of the release that can read them. */
const SINCE = 3;

export const ASIDE_EVENTS: EventTable<AsideEvent> = {
  ActorSetAside: { version: 1, message: journal.ActorSetAside, since: SINCE },
};
