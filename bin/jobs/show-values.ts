/** Answers as people and as machines read them. */
import { DEFAULTS } from '../../protocols/limits.js';
import type { JobAnswer, JobView } from '../../sdk/client.js';
import { contentText } from '../../protocols/content.js';
import { oneLine, withMember } from '../../protocols/json-text.js';
import { paint, visible } from '../terminal.js';

type Outcome = Pick<JobAnswer, 'result' | 'resultBytes' | 'contentType'>;

/** JSON as it is stored; undefined if there is no result or it is no JSON. */
export const resultText = ({ resultBytes, contentType = '' }: Outcome): string | undefined => resultBytes && contentText(resultBytes, contentType);

/** The answer as JSON, with the result as on the wire: JSON as it is stored, bytes as base64. */
export function jsonOf(answer: Outcome): string {
  const { result: _, resultBytes, ...rest } = answer;
  if (resultBytes === undefined) return JSON.stringify(rest);
  const text = resultText(answer);
  return text === undefined ? JSON.stringify({ ...rest, resultBase64: Buffer.from(resultBytes).toString('base64') }) : withMember(rest, 'result', text);
}

const COLOURS = { completed: 'green', failed: 'red', expired: 'red', cancelled: 'yellow', running: 'cyan', retrying: 'yellow' } as const;

export function statusText(status: string): string {
  const colour = Object.hasOwn(COLOURS, status) ? COLOURS[status as keyof typeof COLOURS] : undefined;
  return colour ? paint(colour, status) : status;
}

const time = (ms: number): string => new Date(ms).toISOString();
const short = (outcome: Outcome): string => {
  const text = oneLine(resultText(outcome) ?? `${outcome.resultBytes?.length ?? 0} bytes`);
  return visible(text.length > 2_000 ? `${text.slice(0, 2_000)}…` : text);
};

/** Said where a job waits for nothing but a worker. */
export const lacksWorker = (type: string, queue: string = DEFAULTS.queue): string =>
  `No worker that is registered now performs type ${type} on queue ${queue}. The job waits until one comes.`;

/** What is empty is left out. */
export function* linesOf(view: JobView): Generator<string> {
  const line = (name: string, value: string): string => `${name.padEnd(10)} ${value}`;
  yield line('job', view.jobId);
  yield line('type', view.type);
  yield line('status', statusText(view.status) + (view.cancelling && view.endedMs === 0 ? ', cancelling' : ''));
  if (view.noWorker) yield line('', lacksWorker(view.type, view.queue));
  yield line('queue', `${view.queue}, priority ${view.priority}`);
  if (view.key !== '') yield line('key', visible(view.key));
  yield line('attempt', `${view.attempt} of ${view.maxAttempts}`);
  if (view.workerId !== '') yield line('worker', view.workerId);
  yield line('submitted', time(view.submittedMs));
  if (view.dueMs > 0) yield line('due', time(view.dueMs));
  if (view.endedMs > 0) yield line('ended', `${time(view.endedMs)}, after ${view.endedMs - view.submittedMs} ms`);
  if (view.status === 'running' && view.progress > 0) yield line('progress', `${Math.round(view.progress * 100)} % ${visible(view.progressMessage)}`);
  for (const [name, value] of Object.entries(view.labels)) yield line('label', visible(`${name}=${value}`));
  if (view.failure) yield line('failure', visible(`${view.failure.code}: ${view.failure.message}`));
  if (view.resultBytes) yield line('result', short(view));
  yield line('journal', `partition ${view.position?.partition ?? 0}, positions ${view.firstSeq} to ${view.lastSeq}`);
}
