/** Whether jobs, workers or queues are set aside, because stored events of theirs cannot be folded. */
import type { NatsConnection } from '@nats-io/nats-core';
import type { Namespace } from '../../protocols/ids.js';
import { subjects } from '../../protocols/subjects.js';
import { ok, warn, type Finding } from './finding.js';

const REPLY_WITHIN_MS = 2_000;
const SHOWN = 3;
const WHAT = 'set aside';
const HINT = '`reprise actors ls` lists them, and `reprise actors repair` takes them back or drops them.';

interface List {
  readonly actors?: readonly { readonly kind: string; readonly id: string; readonly why: string }[];
  readonly total?: number;
  readonly code?: string;
  readonly message?: string;
}

/** To be asked where every partition has a leader: one that is missing is another finding. */
export async function asideFinding(nc: NatsConnection, ns: Namespace): Promise<Finding> {
  const { actors = [], total = 0, code, message } = await ask(nc, ns);
  if (code !== undefined) return warn(WHAT, `not known: ${code}: ${message ?? ''}`, 'Are all brokers of this version?');
  if (total === 0) return ok(WHAT, 'nothing');
  const shown = actors.slice(0, SHOWN).map(({ kind, id, why }) => `${kind}/${id} (${why})`).join(', ');
  return warn(WHAT, `${total} actors: ${shown}${total > SHOWN ? ', …' : ''}`, HINT);
}

async function ask(nc: NatsConnection, ns: Namespace): Promise<List> {
  try {
    const subject = subjects.command(ns, { noun: 'actor', verb: 'list' });
    return (await nc.request(subject, '{}', { timeout: REPLY_WITHIN_MS })).json<List>();
  } catch (error) {
    return { code: 'TIMED_OUT', message: String(error) };
  }
}
