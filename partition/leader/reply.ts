/** What an asker is told at last: the shapes of the wire, before they become JSON or protobuf. */
import type { ForeignRejection, Rejection } from '../../protocols/errors.js';
import type { job, worker } from '../../protocols/messages.js';
import type { Asker } from '../core/effects.js';

export type Reply =
  | { readonly kind: 'jobs'; readonly jobs: job.JobReply.$Properties[] }
  | { readonly kind: 'view'; readonly view: job.JobView.$Properties }
  | { readonly kind: 'pulled'; readonly pulled: worker.PullReply.$Properties }
  | { readonly kind: 'registered'; readonly epoch: number; readonly session: string; readonly proof: string }
  | { readonly kind: 'drained'; readonly epoch: number; readonly status: string }
  | { readonly kind: 'refused'; readonly rejection: Rejection | ForeignRejection };

/** An asker that can be answered, once. */
export interface Answerable extends Asker {
  answer(reply: Reply): void;
}

export const answer = (to: Asker, reply: Reply): void => (to as Answerable).answer(reply);
