/**
 * Runs the decisions of a leader. One that throws is a broken invariant: the request is refused, and unless nothing was
 * changed, the leader ends and the host folds the state again from the journal, which has nothing of the decision.
 */
import { messageOf, reject } from '../../protocols/errors.js';
import { refused, sendReply, type ReplyTo } from '../../actors/reply.js';
import type { Moment } from '../../actors/step.js';
import type { Batch } from '../core/batch.js';
import { Unchanged } from '../core/core.js';
import type { Suspect } from '../core/failing.js';
import type { LeaderOptions } from './leader-options.js';

export class Deciding {
  /** @param end ends the leader as broken */
  constructor(
    private readonly options: Pick<LeaderOptions, 'core' | 'receiving' | 'onUndecided'>,
    private readonly end: (error: Error) => void,
  ) {}

  /** @throws Error if a kind cannot begin */
  lead(moment: Moment): void {
    const { core, receiving } = this.options;
    try {
      core.lead(moment, receiving.failing);
    } catch (error) {
      throw this.blamed(error);
    }
  }

  /** @param to of the request, if it is one @returns whether it was decided */
  run(input: () => void, to?: ReplyTo): boolean {
    try {
      input();
      return true;
    } catch (error) {
      if (to) this.refuse(error, to);
      else this.end(this.blamed(error));
      return false;
    }
  }

  /** The next batch. @returns undefined also if the leader broke on the way */
  take(): Batch | undefined {
    let batch: Batch | undefined;
    this.run(() => (batch = this.options.core.take()));
    return batch;
  }

  private refuse(error: unknown, to: ReplyTo): void {
    const why = `the leader failed when it decided this: ${String(error)}`;
    sendReply(to, refused(reject('UNPROCESSABLE', why)));
    if (error instanceof Unchanged) this.options.onUndecided(error.cause);
    else this.end(thrown(error));
  }

  private blamed(error: unknown): Error {
    const { core: { suspect }, receiving } = this.options;
    if (suspect) receiving.failing.note(suspect, messageOf(error));
    return thrown(error, suspect);
  }
}

/** It is no error of the journal, whatever code it has: the partition does not halt. */
function thrown(error: unknown, suspect?: Suspect): Error {
  const whose = suspect ? ` for ${suspect.kind} ${suspect.id}` : '';
  return new Error(`a decision${whose} threw: ${String(error)}`, { cause: error });
}
