/** What an acknowledgement of the server guarantees, and whether the server is new enough. */
import { isAtLeast } from './server/pin.js';
import { serverFacts } from './server/varz.js';

export type Durability =
  /** fsync before every acknowledgement. */
  | 'fsync'
  /** fsync at intervals: messages that were acknowledged just before a power cut may be lost. */
  | 'relaxed'
  /** Not known: only the monitoring address shows the setting, and it was not given or did not reply. */
  | 'unverified';

/** @param monitoringUrl such as http://127.0.0.1:8222 */
export async function durabilityOf(monitoringUrl: string | undefined): Promise<Durability> {
  if (monitoringUrl === undefined || monitoringUrl === '') return 'unverified';
  try {
    return (await serverFacts(monitoringUrl.replace(/\/+$/, ''))).durability;
  } catch {
    return 'unverified';
  }
}

export interface ServerFitness {
  readonly ok: boolean;
  /** Why it cannot be used, or what is recommended. */
  readonly advice?: string;
}

const NEEDED = '2.14.0';
/** The first version with fixes for replicated streams: nats-server #8370. */
const FOR_REPLICAS = '2.14.4';

export function fitness(version: string, replicas = 1): ServerFitness {
  if (!isAtLeast(version, NEEDED)) {
    return { ok: false, advice: `nats-server ${NEEDED} or newer is needed; this one is ${version}.` };
  }
  if (replicas > 1 && !isAtLeast(version, FOR_REPLICAS)) {
    const advice =
      `With ${replicas} replicas nats-server ${FOR_REPLICAS} or newer is recommended; this one is ${version}.`;
    return { ok: true, advice };
  }
  return { ok: true };
}
