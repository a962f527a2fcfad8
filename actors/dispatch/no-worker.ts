/** What no registered worker has: the one thing that the most of them lack, and the worker that lacks the least. */
import type { job as messages } from '../../protocols/messages.js';
import type { ReadonlyLine } from '../job/line.js';
import { lacks, lackText, type Lack } from '../matching/match.js';
import { requirementOf } from '../matching/requirement.js';
import type { WorkerSession } from '../worker/sessions.js';

type Reason = messages.Reason.$Properties;

interface Lacking {
  readonly session: WorkerSession;
  readonly lacks: readonly Lack[];
}

export function noWorker(sessions: readonly WorkerSession[], line: ReadonlyLine): Reason {
  if (sessions.length === 0) return { code: 'NO_WORKER', message: 'no worker is registered', workers: 0 };
  const all = sessions.map((session): Lacking => ({ session, lacks: lacksOf(session, line) }));
  const counted = new Map<string, { readonly lack: Lack; workers: number }>();
  for (const { lacks: each } of all) {
    for (const lack of each) {
      const name = `${lack.path} ${lack.wanted}`;
      const known = counted.get(name);
      if (known) known.workers += 1;
      else counted.set(name, { lack, workers: 1 });
    }
  }
  const most = [...counted.values()].reduce((a, b) => (b.workers > a.workers ? b : a));
  const nearest = all.reduce((a, b) => (b.lacks.length < a.lacks.length ? b : a));
  const { path, wanted } = most.lack;
  const missing = nearest.lacks.map(lackText).join('; ');
  return {
    code: 'NO_WORKER',
    message: `no registered worker can do it: ${most.workers} of ${all.length} lack ${path} (${wanted}). `
      + `The nearest is ${nearest.session.workerId}: ${missing}`,
    workers: all.length,
    lack: { ...most.lack, workers: most.workers },
    nearest: nearest.session.workerId,
    nearestLacks: nearest.lacks.map((lack) => ({ ...lack })),
  };
}

function lacksOf({ ability: { offering } }: WorkerSession, { type, queue, require }: ReadonlyLine): Lack[] {
  const { types, queues, capabilities } = offering;
  const found: Lack[] = [];
  if (!types.has(type)) found.push({ path: 'types', wanted: type, found: [...types].join(', ').slice(0, 128) });
  if (queues && !queues.has(queue)) {
    found.push({ path: 'queues', wanted: queue, found: [...queues].join(', ').slice(0, 128) });
  }
  return [...found, ...lacks(requirementOf(require), capabilities)];
}
