/** Replies as people and as machines read them. */
import { DEFAULTS } from '../../protocols/limits.js';
import type { JobReply, JobView } from '../../sdk/client.js';
import { contentText } from '../../protocols/content.js';
import { oneLine, withMember } from '../../protocols/json-text.js';
import { paint, visible } from '../terminal.js';

type Outcome = Pick<JobReply, 'result' | 'resultBytes' | 'contentType'>;

/** JSON as it is stored; undefined if there is no result or it is no JSON. */
export const resultText = ({ resultBytes, contentType = '' }: Outcome): string | undefined =>
  resultBytes && contentText(resultBytes, contentType);

/** The reply as JSON, with the result as on the wire: JSON as it is stored, bytes as base64. */
export function jsonOf(reply: Outcome): string {
  const { result: _, resultBytes, ...rest } = reply;
  if (resultBytes === undefined) return JSON.stringify(rest);
  const text = resultText(reply);
  if (text !== undefined) return withMember(rest, 'result', text);
  return JSON.stringify({ ...rest, resultBase64: Buffer.from(resultBytes).toString('base64') });
}

const COLOURS = {
  completed: 'green', failed: 'red', expired: 'red', discarded: 'gray', cancelled: 'yellow', running: 'cyan',
  retrying: 'yellow',
} as const;

export function statusText(status: string): string {
  const colour = Object.hasOwn(COLOURS, status) ? COLOURS[status as keyof typeof COLOURS] : undefined;
  return colour ? paint(colour, status) : status;
}

const time = (ms: number): string => new Date(ms).toISOString();
const short = (outcome: Outcome): string => {
  const text = oneLine(resultText(outcome) ?? `${outcome.resultBytes?.length ?? 0} bytes`);
  return visible(text.length > 2_000 ? `${text.slice(0, 2_000)}…` : text);
};

/** The note for a job that waits only for a worker. */
export const lacksWorker = (type: string, queue: string = DEFAULTS.queue): string =>
  `No worker that is registered now performs type ${type} on queue ${queue}. The job waits until one comes.`;

type Line = readonly [name: string, value: string];
type Shown = Line | false | undefined;

/**
 * How each field is shown to people, in this order; null: with another field, or in JSON alone. An empty one is left
 * out.
 */
const LINES: { readonly [F in keyof Required<JobView>]: ((view: JobView) => Shown | readonly Line[]) | null } = {
  jobId: ({ jobId }) => ['job', jobId],
  type: ({ type }) => ['type', type],
  status: ({ status, cancelling, endedMs }) =>
    ['status', statusText(status) + (cancelling && endedMs === 0 ? ', cancelling' : '')],
  cancelling: null,
  noWorker: ({ noWorker, type, queue }) => noWorker && ['', lacksWorker(type, queue)],
  setAside: ({ setAside }) => setAside !== undefined && ['set aside', visible(setAside)],
  queue: ({ queue, priority }) => ['queue', `${queue}, priority ${priority}`],
  priority: null,
  key: ({ key }) => key !== '' && ['key', visible(key)],
  attempt: ({ attempt, maxAttempts }) => ['attempt', `${attempt} of ${maxAttempts}`],
  maxAttempts: null,
  crashes: ({ crashes, maxCrashes }) =>
    crashes > 0 && ['crashes', `${crashes} of at most ${maxCrashes}: leases that were lost`],
  maxCrashes: null,
  returns: ({ returns }) => returns > 0 && ['returned', `${returns} times, by workers that stopped`],
  generation: ({ generation }) => generation > 0 && ['retried', generation === 1 ? 'once' : `${generation} times`],
  workerId: ({ workerId }) => workerId !== '' && ['worker', workerId],
  submittedMs: ({ submittedMs }) => ['submitted', time(submittedMs)],
  dueMs: ({ dueMs }) => dueMs > 0 && ['due', time(dueMs)],
  startDueMs: ({ startDueMs }) => startDueMs > 0 && ['expires', `${time(startDueMs)}, unless it has started`],
  endedMs: ({ endedMs, submittedMs }) =>
    endedMs > 0 && ['ended', `${time(endedMs)}, after ${endedMs - submittedMs} ms`],
  progress: ({ status, progress, progressMessage }) =>
    status === 'running' && progress > 0 && ['progress', `${Math.round(progress * 100)} % ${visible(progressMessage)}`],
  progressMessage: null,
  labels: ({ labels }) => Object.entries(labels).map(([name, value]): Line => ['label', visible(`${name}=${value}`)]),
  require: ({ require }) => require !== '' && ['requires', visible(require)],
  prefer: ({ prefer }) => prefer !== '' && ['prefers', visible(prefer)],
  failure: ({ failure }) => failure && ['failure', visible(`${failure.code}: ${failure.message}`)],
  result: (view) => view.resultBytes && ['result', short(view)],
  resultBytes: null,
  contentType: null,
  position: ({ position, firstSeq, lastSeq }) =>
    ['journal', `partition ${position?.partition ?? 0}, positions ${firstSeq} to ${lastSeq}`],
  firstSeq: null,
  lastSeq: null,
};

export function* linesOf(view: JobView): Generator<string> {
  for (const show of Object.values(LINES)) {
    const shown = show?.(view);
    if (!shown) continue;
    const lines = typeof shown[0] === 'string' ? [shown as Line] : (shown as readonly Line[]);
    for (const [name, value] of lines) yield `${name.padEnd(10)} ${value}`;
  }
}
