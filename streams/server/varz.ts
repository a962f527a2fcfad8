/** Facts of a server that only its monitoring address shows. */
import { RepriseError } from '../../protocols/errors.js';

export interface ServerFacts {
  /** The same as in the INFO of a connection to it. */
  readonly id: string;
  readonly version: string;
  readonly maxPayload: number;
  /** `fsync`: the server syncs before it acknowledges (`sync_interval: always`). */
  readonly durability: 'fsync' | 'relaxed';
}

const ANSWER_WITHIN_MS = 5_000;

interface Varz {
  readonly server_id?: string;
  readonly version?: string;
  readonly max_payload?: number;
  readonly jetstream?: { readonly config?: { readonly sync_always?: boolean } };
}

export async function serverFacts(monitoringUrl: string): Promise<ServerFacts> {
  const varz = await read(`${monitoringUrl}/varz`);
  return {
    id: varz.server_id ?? '',
    version: varz.version ?? 'unknown',
    maxPayload: varz.max_payload ?? 0,
    durability: varz.jetstream?.config?.sync_always === true ? 'fsync' : 'relaxed',
  };
}

async function read(url: string): Promise<Varz> {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    return (await answer.json()) as Varz;
  } catch (cause) {
    throw new RepriseError('SERVER_UNREACHABLE', `No nats-server answers at the monitoring address ${url}.`, { cause });
  }
}
