/** The list of workers in pages, by name. */
import type { WorkerId } from '../../protocols/ids.js';
import type { Step } from '../step.js';
import { isHome } from './home.js';
import type { WorkerSession } from './sessions.js';
import { partOf, wholeOf, type View } from './view.js';
import { workerKind } from './worker.kind.js';

export interface Page {
  readonly workers: readonly View[];
  /** The name after which the next page begins; empty if this is the last. */
  readonly next: string;
}

export interface PageOf {
  /** The name that the page begins after. */
  readonly after: string;
  readonly limit: number;
}

/** A reply is at most 1 MiB with most servers. */
const PAGE_BYTES = 512 * 1024;

/** What this partition knows of its workers. */
export function pageOf(step: Step, { after, limit }: PageOf): Page {
  const sessions = new Map<WorkerId, WorkerSession[]>();
  for (const session of step.live(workerKind).all) {
    const others = sessions.get(session.workerId);
    if (others) others.push(session);
    else sessions.set(session.workerId, [session]);
  }
  const ids = new Set<WorkerId>(sessions.keys());
  if (isHome(step)) {
    for (const { id } of step.read(workerKind).all()) ids.add(id);
    for (const { worker } of step.live(workerKind).gone.all(step.moment.monoMs)) ids.add(worker.id);
  }
  const listed = [...ids].filter((id) => id > after).sort().slice(0, limit + 1);
  return cut(listed.map((id) => partOf(step, id, sessions.get(id) ?? [])!), limit);
}

/** One page of those of all partitions. A worker that follows where one of them was cut may be missing there. */
export function mergedPage(pages: readonly Page[], limit: number): Page {
  const [bound = ''] = pages.map(({ next }) => next).filter((next) => next !== '').sort();
  const parts = new Map<string, View[]>();
  for (const view of pages.flatMap(({ workers }) => workers)) {
    const id = view.workerId ?? '';
    if (bound !== '' && id > bound) continue;
    const others = parts.get(id);
    if (others) others.push(view);
    else parts.set(id, [view]);
  }
  const workers = [...parts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, of]) => wholeOf(of));
  const page = cut(workers, limit);
  return page.next === '' ? { ...page, next: bound } : page;
}

function cut(workers: readonly View[], limit: number): Page {
  let bytes = 0;
  const end = workers.findIndex((view, nth) =>
    nth === limit || ((bytes += Buffer.byteLength(JSON.stringify(view))) > PAGE_BYTES && nth > 0));
  if (end < 0) return { workers, next: '' };
  return { workers: workers.slice(0, end), next: workers[end - 1]!.workerId ?? '' };
}
