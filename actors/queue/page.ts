/** The list of queues in pages, so that neither the work of a step nor a reply grows with their number. */
import { Heap } from '../heap.js';
import { jobKind } from '../job/job.kind.js';
import type { Step } from '../step.js';
import { queueKind } from './queue.kind.js';
import { statsOf, type QueueStats } from './stats.js';

export interface Page {
  readonly queues: readonly QueueStats[];
  /** The name after which the next page begins; empty if this is the last. */
  readonly next: string;
}

export interface PageOf {
  /** The name that the page begins after. */
  readonly after: string;
  readonly limit: number;
}

/** A reply is at most 1 MiB with most servers. Protobuf takes less than JSON. */
const PAGE_BYTES = 512 * 1024;
/** Of the stats of one queue in JSON, at most, without its settings and what is said of a pause. */
const STATS_BYTES = 560;

/** The queues of this partition that have jobs that have not ended, are paused or have settings, and such groups. */
export function pageOf(step: Step, { after, limit }: PageOf): Page {
  return cut(namesAfter(step, after, limit + 1).map((name) => statsOf(step, name)), limit);
}

/** One page of those of all partitions. A queue that follows where one of them was cut may be missing there. */
export function mergedPage(pages: readonly Page[], limit: number): Page {
  const [bound = ''] = pages.map(({ next }) => next).filter((next) => next !== '').sort();
  const queues = pages.flatMap((page) => page.queues).filter((each) => bound === '' || nameOf(each) <= bound);
  const page = cut(queues.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1)), limit);
  return page.next === '' ? { ...page, next: bound } : page;
}

const nameOf = ({ queue }: QueueStats): string => queue ?? '';

function cut(queues: readonly QueueStats[], limit: number): Page {
  let bytes = 0;
  const end = queues.findIndex((stats, nth) => (bytes += bytesOf(stats)) > PAGE_BYTES || nth === limit);
  if (end < 0) return { queues, next: '' };
  return { queues: queues.slice(0, end), next: nameOf(queues[end - 1]!) };
}

function bytesOf({ paused, settings, settingsBy, settingsSinceMs }: QueueStats): number {
  const more = paused || settings ? JSON.stringify({ paused, settings, settingsBy, settingsSinceMs }) : '';
  return STATS_BYTES + Buffer.byteLength(more);
}

/** The first names after `after`, in order. */
function namesAfter(step: Step, after: string, most: number): string[] {
  const { lines } = step.read(jobKind);
  const queues = step.read(queueKind);
  const first = new Heap<string>((a, b) => a > b);
  const consider = (name: string): void => {
    first.push(name);
    if (first.size > most) first.pop();
  };
  const isLate = (name: string): boolean => name <= after || (first.size === most && name > first.peek()!);
  const isListed = (name: string): boolean => queues.paused.has(name) || queues.configured.has(name);
  for (const name of queues.paused) if (!isLate(name)) consider(name);
  for (const name of queues.configured) if (!isLate(name) && !queues.paused.has(name)) consider(name);
  for (const name of lines.queues) {
    if (!isLate(name) && !isListed(name) && hasJobs(lines.ofQueue(name))) consider(name);
  }
  return [...first].sort();
}

function hasJobs(lines: Iterable<{ readonly isEmpty: boolean }>): boolean {
  for (const { isEmpty } of lines) if (!isEmpty) return true;
  return false;
}
