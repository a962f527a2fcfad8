/** What the steps of a job show beside the changes: payload, result and failure. */
import type { JobEvent } from '../actors/job/job.events.js';
import type { Decoded } from '../actors/kind.js';
import { contentText } from '../protocols/content.js';
import { oneLine } from '../protocols/json-text.js';
import type { Content, Step } from './step.js';

/** Not listed as changes: shown elsewhere, of no use to readers, or (`place`) not known from one job's events. */
export const NOT_LISTED_OF_JOB = ['place', 'payload', 'result', 'failure', 'lastSeq'];
const SHORT = 400;

/** The content that was not removed. */
export function shownOfJob(event: JobEvent & Decoded): Pick<Step, 'content' | 'failure'> {
  return event.isContentRemoved && hasBytes(event) ? {} : shown(event);
}

const hasBytes = ({ type }: JobEvent): boolean => type === 'JobSubmitted' || type === 'JobCompleted';

function shown(event: JobEvent): Pick<Step, 'content' | 'failure'> {
  if (event.type === 'JobSubmitted') {
    return { content: contentOf('payload', event.body.payload, event.body.contentType) };
  }
  if (event.type === 'JobCompleted') {
    return { content: contentOf('result', event.body.result, event.body.contentType) };
  }
  const failure = 'failure' in event.body ? event.body.failure : undefined;
  return failure ? { failure: { code: failure.code, message: failure.message } } : {};
}

function contentOf(of: Content['of'], bytes: Uint8Array, contentType: string): Content {
  const stored = contentText(bytes, contentType);
  if (stored === undefined) {
    return { of, text: `${bytes.length} bytes of ${contentType || 'invalid JSON'}`, isJson: false };
  }
  const text = oneLine(stored);
  if (text.length > SHORT) return { of, text: `${text.slice(0, SHORT)}… (${bytes.length} bytes)`, isJson: false };
  return { of, text, isJson: true };
}
