/** Workers as people read them. */
import type { Ordered, WorkerStatus, WorkerView } from '../../sdk/workers.js';
import { durationText, sizeText } from '../figures.js';
import { table } from '../table.js';
import { paint, visible } from '../terminal.js';

const HEADINGS = ['worker', 'status', 'runs', 'slots', 'heard', 'loop', 'memory', 'queues', 'types'] as const;
const COLOURS: { readonly [S in WorkerStatus]?: 'red' | 'yellow' } =
  { suspect: 'red', draining: 'yellow', cordoned: 'yellow', gone: 'yellow' };
const MOST_NAMES = 4;

/** A table, one line for each worker. */
export const tableOf = (workers: readonly WorkerView[]): Generator<string> =>
  table(HEADINGS, workers.map((view) => ({ cells: cells(view), colour: COLOURS[view.status] })));

const cells = ({ workerId, status, running, capacity, load, queues, types, ...view }: WorkerView): string[] => [
  workerId, status, String(running), String(capacity), heardText(view),
  load ? `${load.eventLoopMs.toFixed(1)}ms` : '-', load ? sizeText(load.memoryBytes) : '-',
  queues.length === 0 ? 'all' : namesText(queues), namesText(types),
];

const heardText = ({ registeredMs, silentMs }: Pick<WorkerView, 'registeredMs' | 'silentMs'>): string =>
  (registeredMs === 0 ? 'never' : `${durationText(silentMs)} ago`);

function namesText(names: readonly string[]): string {
  if (names.length === 0) return '-';
  const more = names.length - MOST_NAMES;
  return names.slice(0, MOST_NAMES).join(' ') + (more > 0 ? ` and ${more} more` : '');
}

export function* linesOf(view: WorkerView): Generator<string> {
  const line = (name: string, value: string): string => `${name.padEnd(12)} ${value}`;
  const { workerId, status, types, queues, weights, capabilities, load, cordoned, drained } = view;
  const colour = COLOURS[status];
  yield line('worker', workerId);
  yield line('status', (colour ? paint(colour, status) : status) + (view.gone === '' ? '' : `: ${view.gone}`));
  if (cordoned) yield line('cordoned', orderedText(cordoned));
  if (drained) yield line('drained', orderedText(drained));
  if (view.registeredMs === 0) return;
  yield line('types', types.join(' '));
  yield line('queues', queues.length === 0 ? 'all' : queues.join(' '));
  if (Object.keys(weights).length > 0) {
    yield line('weights', Object.entries(weights).map(([queue, weight]) => `${queue}=${weight}`).join(' '));
  }
  if (capabilities) yield line('capabilities', visible(JSON.stringify(capabilities)));
  yield line('runs', `${view.running} of ${view.capacity}`);
  yield line('heard', heardText(view));
  if (load) {
    const { slots, eventLoopMs, memoryBytes } = load;
    const taken = `${Math.round(slots * 100)} % of its slots`;
    const late = `event loop ${eventLoopMs.toFixed(1)}ms late (p99)`;
    yield line('load', `${taken}, ${late}, ${sizeText(memoryBytes)} of memory`);
  }
  yield line('software', visible(view.software));
  yield line('registered', new Date(view.registeredMs).toISOString());
  for (const { jobId, type, queue, attempt } of view.attempts) {
    yield line('attempt', `${attempt} of job ${jobId}, ${type} in ${queue}`);
  }
}

export function orderedText({ by, sinceMs, reason }: Ordered): string {
  const who = by === '' ? 'unknown (no principal given)' : visible(by);
  return `by ${who} since ${new Date(sinceMs).toISOString()}${reason === '' ? '' : `: ${visible(reason)}`}`;
}
