/** What the server promises when it acknowledges, and whether it is new enough. */
import { isAtLeast } from './server/pin.js';
import { serverFacts } from './server/varz.js';

export type Durability =
  /** fsync before every acknowledgement. */
  | 'fsync'
  /** Every now and then: what was acknowledged just before a power cut may be gone. */
  | 'relaxed'
  /** Nobody could tell: an ordinary connection cannot see the setting. */
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
  /** What is wrong with it, or what to keep in mind. */
  readonly advice?: string;
}

const NEEDED = '2.14.0';
/** Has fixes for streams with several replicas: nats-server #8370. */
const FOR_REPLICAS = '2.14.4';

export function fitness(version: string, replicas = 1): ServerFitness {
  if (!isAtLeast(version, NEEDED)) return { ok: false, advice: `nats-server ${NEEDED} or newer is needed; this one is ${version}.` };
  if (replicas > 1 && !isAtLeast(version, FOR_REPLICAS)) {
    return { ok: true, advice: `With ${replicas} replicas nats-server ${FOR_REPLICAS} or newer is recommended; this one is ${version}.` };
  }
  return { ok: true };
}
