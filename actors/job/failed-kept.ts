import { queueKind } from '../queue/queue.kind.js';
import type { Step } from '../step.js';
import type { JobEvent } from './job.events.js';

/** The event with what the settings of the queue say of failed jobs. They are recorded with it. */
export function withFailedKept<E extends JobEvent>(step: Step, queue: string, event: E): E {
  if (event.type !== 'JobFailed') return event;
  const kept = step.read(queueKind).settingsOf(queue)?.failedKept;
  return kept === undefined ? event : { ...event, body: { ...event.body, kept } };
}
