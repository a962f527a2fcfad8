/** Replies by what they are of, for the codecs. */
import type { Reply } from '../../actors/reply.js';
import type { ForeignRejection, Rejection } from '../../protocols/errors.js';
import type { job, worker } from '../../protocols/messages.js';
import type { Verb } from '../../protocols/subjects.js';

export type Shaped =
  | { readonly kind: 'jobs'; readonly jobs: job.JobReply.$Properties[] }
  | { readonly kind: 'view'; readonly view: job.JobView.$Properties }
  | { readonly kind: 'pulled'; readonly pulled: worker.PullReply.$Properties }
  | { readonly kind: 'registered'; readonly epoch: number; readonly session: string; readonly proof: string }
  | { readonly kind: 'drained'; readonly epoch: number; readonly status: string }
  | { readonly kind: 'refused'; readonly rejection: Rejection | ForeignRejection };

export function shaped(verb: Verb, reply: Reply): Shaped {
  if (reply.kind === 'refused') return reply;
  const { message } = reply;
  switch (verb) {
    case 'submit': return { kind: 'jobs', ...(message as { jobs: job.JobReply.$Properties[] }) };
    case 'await':
    case 'cancel': return { kind: 'jobs', jobs: [message] };
    case 'get': return { kind: 'view', view: message };
    case 'register': return { kind: 'registered', ...(message as { epoch: number; session: string; proof: string }) };
    case 'drain': return { kind: 'drained', ...(message as { epoch: number; status: string }) };
    default: return { kind: 'pulled', pulled: message };
  }
}
