import type { AsideReading, Repair } from '../../actors/actor/aside.js';
import type { Held, Kind, Role } from '../../actors/kind.js';
import type { ReplyTo, ReplyOf } from '../../actors/reply.js';
import type { RetentionChange, RetentionReading } from '../../actors/retention/retention.js';
import type { Cause, Moment, Outgoing, Step, Taken, WaitOf } from '../../actors/step.js';
import type { Rejection } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';

/**
 * What a command from another partition sees. Room was made for it and for the record that it was received, so both
 * are in one commit. Its sequence identifies it, so command ids are ignored. It is never refused as OVERLOADED, because
 * its origin waits for the answer. The answer goes back with the record.
 */
export class DeliveredStep implements Step {
  rejection: Rejection | undefined;
  answered: unknown;

  constructor(private readonly step: Step) {}

  get partition(): Partition {
    return this.step.partition;
  }

  get moment(): Moment {
    return this.step.moment;
  }

  get nowMs(): number {
    return this.step.nowMs;
  }

  readonly overloaded = false;

  seen(): undefined {
    return undefined;
  }

  makeRoom(): void {}

  read<R extends Role>(kind: Kind<R>): R['reading'] {
    return this.step.read(kind);
  }

  live<R extends Role>(kind: Kind<R>): R['live'] {
    return this.step.live(kind);
  }

  get setAside(): AsideReading {
    return this.step.setAside;
  }

  repair(repair: Repair, cause: Cause): void {
    this.step.repair(repair, { ...cause, commandId: '' });
  }

  get retention(): RetentionReading {
    return this.step.retention;
  }

  setRetention(setting: RetentionChange, cause: Cause): void {
    this.step.setRetention(setting, { ...cause, commandId: '' });
  }

  heldQueues(): Held {
    return this.step.heldQueues();
  }

  isHeld(queue: string): boolean {
    return this.step.isHeld(queue);
  }

  whyHeld(queue: string): string | undefined {
    return this.step.whyHeld(queue);
  }

  emit<R extends Role>(
    kind: Kind<R>, of: Readonly<R['actor']> | string, event: R['event'], cause: Cause, taken?: Taken,
  ): Readonly<R['actor']> {
    return this.step.emit(kind, of, event, { ...cause, commandId: '' }, taken);
  }

  send(outgoing: Outgoing, from: { readonly kind: string; readonly id: string }, cause: Cause): void {
    this.step.send(outgoing, from, cause);
  }

  underWay(to: Partition): number {
    return this.step.underWay(to);
  }

  answer<A>(_: ReplyTo, __: ReplyOf<A>, answer: A): void {
    this.answered = answer;
  }

  /** Does not wait: the record only says that the command was accepted. */
  wait<A>(_: ReplyTo, __: WaitOf<A>, answers: readonly A[]): void {
    this.answered = answers;
  }

  refuse(_: ReplyTo, rejection: Rejection): void {
    this.rejection = rejection;
  }
}
