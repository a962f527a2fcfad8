/** Queues change by commands alone. */
import type { CastMember } from '../cast.js';
import { queueKind, type QueueRole } from './queue.kind.js';

export const queues: CastMember<QueueRole> = { kind: queueKind };
