/** worker.heartbeat: renews the leases that it lists; its reply has the tokens to stop. It is never recorded. */
import { z } from 'zod';
import { atMost, text, tokenOf, within } from '../../../protocols/bounds.js';
import { parseToken, type Token } from '../../../protocols/ids.js';
import { LIMITS } from '../../../protocols/limits.js';
import { worker } from '../../../protocols/messages.js';
import type { Command } from '../../command.js';
import { optionalText, texts } from '../../shapes.js';
import { jobKind } from '../../job/job.kind.js';
import { checkHeld } from '../held.js';
import { checkLoad, loadShape, type Load } from '../load.js';
import { partitionShape, pullReplyJson, sessionShape } from '../pull-reply.js';
import { pulledReply } from '../replies.js';
import { checkSession, checkTokens, TO_STATED, type FromSession } from '../reports.js';
import { emptyNotice } from '../sessions.js';
import { workerKind } from '../worker.kind.js';

export interface Heartbeat extends FromSession {
  readonly tokens: readonly Token[];
  readonly progress: readonly ProgressOfToken[];
  readonly load?: Load | undefined;
}

export interface ProgressOfToken {
  readonly token: Token;
  readonly fraction: number;
  readonly message: string;
}

const progressShape = z.strictObject({ token: z.string(), fraction: z.number(), message: optionalText });

export const heartbeat = {
  noun: 'worker',
  verb: 'heartbeat',
  does: 'renews leases; the reply has the tokens to stop',
  request: worker.Heartbeat,
  reply: worker.PullReply,
  json: z.strictObject({
    ...sessionShape, ...partitionShape, tokens: texts, progress: z.array(progressShape).optional(),
    load: loadShape,
  }),
  session: 'proved',
  codes: ['SESSION_UNPROVED'],
  routing: TO_STATED,
  check(message, context) {
    const from = checkSession(message, context);
    const tokens = checkTokens('tokens', message.tokens, from.partition);
    return { ...from, tokens, progress: checkProgress(message.progress), load: checkLoad(message.load) };
  },
  decide(step, { session: id, tokens, progress, load }, { to }) {
    const session = step.live(workerKind).get(id);
    if (session) session.heard(step.moment.monoMs, load);
    const notice = emptyNotice();
    if (session?.retired) notice.drain = true;
    checkHeld(step, id, tokens, notice);
    const revoked = new Set(notice.revoked);
    const listed = new Set<string>(tokens);
    const attempts = step.live(jobKind);
    for (const { token, fraction, message } of progress) {
      if (!listed.has(token) || revoked.has(token)) continue;
      attempts.setProgress(parseToken(token)!.jobId, { fraction, message });
    }
    step.answer(to, pulledReply, notice);
  },
  toJson: pullReplyJson,
} as const satisfies Command<worker.Heartbeat, Heartbeat>;

function checkProgress(list: readonly worker.Progress.$Properties[]): ProgressOfToken[] {
  return atMost('progress', list, LIMITS.free).map((each) => ({
    token: tokenOf(each.token ?? ''),
    fraction: within('progress.fraction', each.fraction ?? 0, 0, 1),
    message: text('progress.message', each.message ?? '', LIMITS.reasonBytes),
  }));
}
