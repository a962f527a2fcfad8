/** Everything that can be put into a partition's core: validated commands, and time. */
import type { JobId, Session, Token, TokenParts, WorkerId } from '../../protocols/ids.js';
import type { Rejection } from '../../protocols/errors.js';
import type { Outcome, SubmitJob } from '../../actors/job/job.decide.js';
import type { RegisterWorker } from '../../actors/worker/worker.js';
import type { Salts } from '../../streams/content.js';
import type { Asker } from './effects.js';

/** A job by its id, or by queue and key. */
export type Target = { readonly jobId: JobId } | { readonly queue: string; readonly key: string };

/** A report, with its token taken apart. */
export interface Report extends TokenParts {
  readonly token: Token;
  readonly outcome: Outcome;
}

export type Command =
  | {
      readonly kind: 'submit'; readonly to: Asker; readonly by: string;
      /** With an id drawn for each; one that could not be validated is its rejection. */
      readonly jobs: readonly ({ readonly id: JobId; readonly job: SubmitJob } | Rejection)[];
      /** undefined: answer as soon as it is recorded. */
      readonly waitMs: number | undefined;
    }
  | { readonly kind: 'get'; readonly to: Asker; readonly target: Target }
  | { readonly kind: 'await'; readonly to: Asker; readonly target: Target; readonly waitMs: number }
  | { readonly kind: 'cancel'; readonly to: Asker; readonly target: Target; readonly reason: string; readonly commandId: string; readonly by: string }
  | { readonly kind: 'register'; readonly to: Asker; readonly worker: RegisterWorker; readonly proof: string }
  | {
      readonly kind: 'pull'; readonly to: Asker; readonly workerId: WorkerId; readonly session: Session; readonly pullSeq: number;
      readonly free: number; readonly expiresMs: number; readonly held: readonly Token[]; readonly reports: readonly (Report | RejectedInput)[];
    }
  | { readonly kind: 'report'; readonly to: Asker; readonly workerId: WorkerId; readonly session: Session; readonly reports: readonly (Report | RejectedInput)[] }
  | {
      readonly kind: 'heartbeat'; readonly to: Asker; readonly workerId: WorkerId; readonly session: Session; readonly tokens: readonly Token[];
      readonly progress: readonly { readonly token: Token; readonly fraction: number; readonly message: string }[];
    }
  | { readonly kind: 'drain'; readonly to: Asker; readonly workerId: WorkerId; readonly session: Session; readonly gone: boolean };

/** One report of several that could not be validated; the others count all the same. */
export interface RejectedInput {
  readonly token: string;
  readonly rejection: Rejection;
}

export type Input = Command | { readonly kind: 'tick' };

/** What is given with every input, because the core may not look for itself. */
export interface Moment {
  /** Wall clock, Unix milliseconds. */
  readonly nowMs: number;
  /** Monotonic clock of this process, milliseconds. */
  readonly monoMs: number;
  /** Drawn from [0, 1). */
  readonly draw: number;
  /** For the contents of the events that are decided. */
  readonly salts: Salts;
}
