/** The rules of a queue's lines: what is set on the queue, and on its group. */
import { groupOf } from '../../protocols/ids.js';
import { PLAIN, type KeyLimit, type QueueRules, type Rate, type ScopedLimit } from '../job/queue-rules.js';

interface Limited {
  readonly concurrency?: number;
  readonly rate?: Rate;
}

/** What is set on a queue or a group and concerns the order and the limits of jobs. */
export interface OrderSettings extends Limited {
  readonly perKey?: Limited & { readonly label: string; readonly byType?: boolean };
  readonly fair?: { readonly label: string; readonly weights?: Readonly<Record<string, number>> };
  readonly ageingPerMinute?: number;
}

const MINUTE_MS = 60_000;

export function rulesOf(queue: string, settingsOf: (name: string) => OrderSettings | undefined): QueueRules {
  const group = `${groupOf(queue)}/`;
  const [own, ofGroup] = [settingsOf(queue), settingsOf(group)];
  if (own === undefined && ofGroup === undefined) return PLAIN;
  const limits: ScopedLimit[] = [];
  const keyLimits: KeyLimit[] = [];
  for (const [scope, settings] of [[group, ofGroup], [queue, own]] as const) {
    if (settings === undefined) continue;
    const wide = limitIn(scope, settings);
    if (wide) limits.push(wide);
    const ofKey = settings.perKey && limitIn(scope, settings.perKey);
    if (ofKey) keyLimits.push({ ...ofKey, byType: settings.perKey!.byType ?? false });
  }
  return {
    label: own?.fair?.label ?? own?.perKey?.label ?? ofGroup?.perKey?.label ?? '',
    agingPerMs: (own?.ageingPerMinute ?? 0) / MINUTE_MS,
    weights: own?.fair && (own.fair.weights ?? {}),
    limits, keyLimits,
  };
}

function limitIn(scope: string, { concurrency = 0, rate }: Limited): ScopedLimit | undefined {
  return concurrency === 0 && rate === undefined ? undefined : { scope, concurrency, rate };
}
