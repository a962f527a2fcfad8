/** What cordoning, uncordoning and draining a worker have in common: operators' commands to every partition. */
import { text, workerIdOf } from '../../protocols/bounds.js';
import { reject, type Rejection } from '../../protocols/errors.js';
import type { WorkerId } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import { refuseAside } from '../actor/aside.js';
import type { From, ToAll } from '../command.js';
import { commandConflict } from '../command-conflict.js';
import { message, refused, type Reply } from '../reply.js';
import { optionalText } from '../shapes.js';
import type { Step } from '../step.js';
import { partOf, wholeOf, type View } from './view.js';
import type { Order, Worker, WorkerEvent } from './worker.js';
import { workerKind } from './worker.kind.js';

export interface OrderWorker {
  readonly workerId: WorkerId;
  readonly reason: string;
  readonly commandId: string;
}

interface Message {
  readonly workerId: string;
  readonly reason: string;
  readonly commandId: string;
}

export const orderShape = { reason: optionalText, commandId: optionalText };

/** @throws Invalid */
export const checkOrder = (given: Message): OrderWorker => ({
  workerId: workerIdOf(given.workerId),
  reason: text('reason', given.reason, LIMITS.reasonBytes),
  commandId: text('commandId', given.commandId, LIMITS.commandIdBytes),
});

const notFound = (id: string): Rejection => reject('NOT_FOUND', `no worker ${id} is known`);

/** The parts that partitions know of one worker become one view. */
export const ofOneWorker: ToAll<object, { readonly workerId: string }> = {
  to: 'all',
  forwarded: (request) => request,
  merge(replies, { workerId }) {
    const failed = replies.find((each) => each.refused);
    if (failed) return failed;
    const parts = replies.map((each) => each.message as View).filter(({ status }) => status);
    return parts.length === 0 ? refused(notFound(workerId)) : message(wholeOf(parts));
  },
};

/** An empty status: this partition knows nothing of it. */
export const partReply = (part: View): Reply => message(part);
export const knownPart = (step: Step, workerId: WorkerId): View => partOf(step, workerId) ?? { workerId, status: '' };

type Decide = (worker: Readonly<Worker> | undefined, order: Order) => WorkerEvent | Rejection | undefined;

/** Records the order unless it was given already, and answers with what is known of the worker. */
export function orderWorker(step: Step, order: OrderWorker, type: string, decide: Decide, { to, by }: From): boolean {
  const { workerId, reason, commandId } = order;
  const before = commandId === '' ? undefined : step.seen(commandId);
  if (before && (before.type !== type || before.id !== workerId)) {
    step.refuse(to, commandConflict(commandId, before));
    return false;
  }
  const aside = step.setAside.get(workerKind.name, workerId);
  const event = before || aside ? undefined : decide(step.read(workerKind).get(workerId), { reason, by });
  if (aside || (event && 'code' in event)) {
    step.refuse(to, aside ? refuseAside(aside) : (event as Rejection));
    return false;
  }
  if (event) {
    step.makeRoom(reason.length);
    step.emit(workerKind, workerId, event as WorkerEvent, { commandId, type, by });
  }
  return true;
}
