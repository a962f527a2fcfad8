/** worker.register: gives the capabilities of a worker to every partition. */
import { z } from 'zod';
import { atMost, Invalid, jobType, queueName, text, whole } from '../../../protocols/bounds.js';
import { ERRORS, isCode } from '../../../protocols/errors.js';
import { documentText } from '../../../protocols/json-text.js';
import { LIMITS } from '../../../protocols/limits.js';
import { worker } from '../../../protocols/messages.js';
import { refuseAside } from '../../actor/aside.js';
import { identityIn, type Command, type ToAll } from '../../command.js';
import type { Reply } from '../../reply.js';
import { count, optionalText, texts } from '../../shapes.js';
import { answerPull } from '../answer-pull.js';
import { MATCHING } from '../../matching/bounds.js';
import { capabilities, capabilitiesText } from '../../matching/capabilities.js';
import { isHome } from '../home.js';
import { sessionShape } from '../pull-reply.js';
import { registeredReply } from '../replies.js';
import { sessionOf } from '../session-of.js';
import { emptyNotice } from '../sessions.js';
import { decideRegister, type RegisterWorker } from '../worker.js';
import { workerKind } from '../worker.kind.js';

export interface Register {
  readonly worker: RegisterWorker;
  readonly proof: string;
  /** The number of partitions to pull from. */
  readonly partitions: number;
}

/** The largest size of the lists of types and queues, and of the capabilities. */
const REGISTRATION_BYTES = 65_536 + MATCHING.capabilitiesBytes;
const MOST_WEIGHT = 1_000_000;

/** @throws Invalid */
function checkWeights(weights: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const entries = atMost('weights', Object.entries(weights), LIMITS.queuesPerWorker);
  const checked = entries.map(([name, weight]) => [queueName(name), whole(`weights.${name}`, weight, 1, MOST_WEIGHT)]);
  return Object.fromEntries(checked.sort(([a], [b]) => (a! < b! ? -1 : 1)));
}

const toEveryPartition: ToAll<worker.RegisterWorker> = {
  to: 'all',
  /** With the session that was drawn here, so that all partitions get the same one. */
  forwarded: (message, context) => worker.RegisterWorker.create({ ...message, ...identityIn(context) }),
  /**
   * The worker is registered when one partition has registered it and none has decided otherwise: a partition that has
   * halted replies UNKNOWN_WORKER later. The epoch is that of the home partition, or 0 if that one did not register the
   * worker.
   */
  merge(replies) {
    const refused = replies.find((each) => each.refused && !mayPass(each));
    const registered = replies.find((each) => each.message);
    if (refused || registered === undefined || registered === replies[0]) return refused ?? replies[0]!;
    return { message: { ...registered.message, epoch: 0 } };
  },
};

/** An operating error may pass; a decision about the worker holds for all partitions. */
function mayPass({ refused }: Reply): boolean {
  if (!refused || !isCode(refused.code)) return false;
  const row = ERRORS[refused.code];
  return row.kind === 'operating' || row.retryable;
}

export const register = {
  noun: 'worker',
  verb: 'register',
  does: 'registers a worker and what it can do; the reply has its session and the number of partitions',
  request: worker.RegisterWorker,
  reply: worker.RegisterReply,
  json: z.strictObject({
    ...sessionShape, session: optionalText,
    types: texts, queues: texts.optional(), capacity: count, software: optionalText,
    capabilities: z.record(z.string(), z.unknown()).optional(), weights: z.record(z.string(), count).optional(),
  }),
  fromJson({ capabilities: given, ...rest }: { capabilities?: object }) {
    return worker.RegisterWorker.create({ ...rest, capabilitiesJson: documentText(given) }) as worker.RegisterWorker;
  },
  session: 'drawn',
  codes: ['SESSION_UNPROVED', 'CAPABILITIES_INVALID', 'SET_ASIDE'],
  routing: toEveryPartition,
  check(message, context) {
    const { workerId, session, proof } = identityIn(context);
    if (message.types.length === 0) throw new Invalid('INVALID_ARGUMENT', 'types must name at least one job type');
    return {
      proof,
      partitions: context.partitions,
      worker: {
        workerId,
        session,
        types: [...new Set(atMost('types', message.types, LIMITS.typesPerWorker).map(jobType))],
        queues: [...new Set(atMost('queues', message.queues, LIMITS.queuesPerWorker).map(queueName))],
        capacity: whole('capacity', message.capacity, 1, LIMITS.free),
        software: text('software', message.software, LIMITS.softwareBytes),
        capabilities: capabilitiesText(capabilities(message.capabilitiesJson)),
        weights: checkWeights(message.weights),
      },
    };
  },
  decide(step, { worker: given, proof, partitions }, { to }) {
    const { workerId, session } = given;
    const aside = step.setAside.get(workerKind.name, workerId);
    if (aside) return step.refuse(to, refuseAside(aside));
    const sessions = step.live(workerKind);
    const older = sessions.get(session);
    if (older?.pull) answerPull(step, older, emptyNotice());
    const fresh = sessionOf(sessions, workerId, given);
    fresh.heardMonoMs = step.moment.monoMs;
    fresh.lastPullSeq = older?.lastPullSeq ?? 0;
    fresh.load = older?.load;
    const known = step.read(workerKind).get(workerId);
    fresh.cordoned = known?.cordoned !== undefined;
    fresh.retired = older?.retired ?? (known?.retired !== undefined && known.session === session);
    fresh.draining = fresh.retired;
    sessions.add(fresh);
    sessions.gone.forget(workerId);
    const event = isHome(step) ? decideRegister(known, given) : undefined;
    if (event) {
      step.makeRoom(REGISTRATION_BYTES);
      step.emit(workerKind, workerId, event, { commandId: '', type: 'RegisterWorker', by: workerId });
    }
    step.answer(to, registeredReply, { session, proof, partitions });
  },
  /** An epoch of 0 is set explicitly. */
  received: ({ partitions, epoch, maxResultBytes, session, proof }: worker.RegisterReply) =>
    ({ partitions, epoch, session, proof, maxResultBytes }),
} as const satisfies Command<worker.RegisterWorker, Register>;
