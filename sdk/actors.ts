/** The client's functions for actors that are set aside: list and repair. */
import { list } from '../actors/actor/commands/list.js';
import { repair, type RepairActor } from '../actors/actor/commands/repair.js';
import type { actor as messages } from '../protocols/messages.js';
import { checkText, checkTexts } from './checks.js';
import { drawCommandId, type Client } from './client.js';

/** A job, worker or queue with a stored event that cannot be folded. */
export interface SetAside {
  readonly partition: number;
  readonly kind: string;
  readonly id: string;
  /** The last that is known; `absent` if its first event cannot be folded. */
  readonly status: string;
  /** For people; names the event and its position. */
  readonly why: string;
  readonly seq: number;
  readonly index: number;
  readonly sinceMs: number;
  /** Later events of it that are not folded. */
  readonly skipped: number;
}

export interface SetAsideList {
  /** The first 1,000 of each partition, or as many as a reply holds. */
  readonly actors: readonly SetAside[];
  readonly total: number;
}

export async function listSetAside(client: Client): Promise<SetAsideList> {
  const { actors, total } = await client.request<messages.ActorList>(list, {});
  return {
    actors: actors.map((each) => {
      const { partition, kind, id, status, why, seq, index, sinceMs, skipped } = each as messages.SetAside;
      return { partition, kind, id, status, why, seq, index, sinceMs, skipped };
    }),
    total,
  };
}

export type RepairAs = RepairActor['as'];

export interface RepairOptions {
  /** `failed` or `ready`: a job is taken back with it. `dropped`: a job, worker or queue is forgotten. */
  readonly as: RepairAs;
  /** For people; recorded. */
  readonly reason?: string;
  /** Drawn when it is not given, so that repeating the request changes nothing twice. */
  readonly commandId?: string;
}

export async function repairActor(
  client: Client, { partition, kind, id }: Pick<SetAside, 'partition' | 'kind' | 'id'>, options: RepairOptions,
): Promise<{ readonly duplicate: boolean }> {
  checkText('id', id);
  checkTexts('options', options, ['as', 'reason', 'commandId']);
  const { as, reason = '', commandId = drawCommandId() } = options;
  const { duplicate } = await client.request<messages.RepairReply>(
    repair, { partition, kind, id, as, reason, commandId },
  );
  return { duplicate };
}
