/** A kind as one partition hosts it. */
import type { CastMember, LeaderParts } from '../../actors/cast.js';
import type { Kind, Store } from '../../actors/kind.js';
import type { Partition } from '../../protocols/ids.js';

export class Hosted {
  readonly kind: Kind;
  readonly store: Store;
  readonly live: object;
  /** How many actors there were so far, including those that were forgotten. */
  seen = 0;

  constructor(
    readonly member: CastMember,
    partition: Partition,
    parts: LeaderParts,
  ) {
    this.kind = member.kind;
    this.store = this.kind.open(partition);
    this.live = member.live?.(parts) ?? {};
  }
}

export type Cast = ReadonlyMap<string, Hosted>;

/** @throws TypeError if two kinds have one name */
export function castOf(kinds: readonly CastMember[], partition: Partition, parts: LeaderParts): Cast {
  const cast = new Map<string, Hosted>();
  for (const member of kinds) {
    const { name } = member.kind;
    if (cast.has(name)) throw new TypeError(`two kinds are called ${name}`);
    cast.set(name, new Hosted(member, partition, parts));
  }
  return cast;
}
