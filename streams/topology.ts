/** Makes the streams of a namespace, or checks that the existing ones are configured as they must be. */
import { JetStreamApiError, jetstreamManager, type JetStreamManager, type StreamConfig } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../protocols/errors.js';
import type { Namespace } from '../protocols/ids.js';
import { isStreamNotFound, operating } from './connect.js';
import {
  BUCKET_OF_0_1,
  checkpointsConfig,
  journalConfig,
  keysConfig,
  leadershipConfig,
  OPERATORS_OWN,
  PARTITIONS,
  RESTORING,
  snapshotsConfig,
  type Wanted,
  WITNESS_OF_0_1,
  witnessConfig,
} from './configs.js';

export interface TopologyOptions {
  readonly replicas?: number;
  /** Size limit of each journal. A journal that reaches it refuses commits; nothing is dropped. */
  readonly maxBytes?: number;
  /** Only checks: a missing stream is refused, and a stream that a broker would update is accepted as it is. */
  readonly look?: boolean;
}

interface Planned {
  readonly wanted: Wanted;
  /** Fields that an earlier version configured differently. */
  readonly formerly?: Partial<StreamConfig>;
  /** The first version that has the stream: who only looks accepts that it is missing. */
  readonly since?: string;
}

const NAME_IN_USE = 10058;

/** Several brokers may call it at once: the server makes a stream once, and each broker compares the result. */
export async function ensureTopology(
  nc: NatsConnection,
  ns: Namespace,
  partitions: number,
  options: TopologyOptions = {},
): Promise<void> {
  const jsm = await jetstreamManager(nc, { checkAPI: false });
  const replicas = options.replicas ?? 1;
  const journals = Array.from({ length: partitions }, (_, n) =>
    journalConfig(ns, n, partitions, replicas, options.maxBytes),
  );
  // The first journal comes first, so that of two brokers with different numbers of partitions one fails on it.
  for (const first of journals.slice(0, 1)) await ensure(jsm, { wanted: first }, options.look);
  const others: Planned[] = [
    ...journals.slice(1).map((wanted) => ({ wanted })),
    { wanted: witnessConfig(ns, partitions, replicas), formerly: WITNESS_OF_0_1 },
    { wanted: leadershipConfig(ns, replicas), formerly: BUCKET_OF_0_1 },
    { wanted: checkpointsConfig(ns, replicas), formerly: BUCKET_OF_0_1 },
    { wanted: keysConfig(ns, replicas) },
    { wanted: snapshotsConfig(ns, replicas), since: '0.4.0' },
  ];
  await Promise.all(others.map((planned) => ensure(jsm, planned, options.look)));
}

async function ensure(jsm: JetStreamManager, planned: Planned, look = false): Promise<void> {
  const { wanted } = planned;
  const doing = `${look ? 'Checking' : 'Making or checking'} the stream ${wanted.name} failed`;
  try {
    const found = (await find(jsm, wanted.name)) ?? (look ? undefined : await make(jsm, wanted));
    if (found === undefined && planned.since !== undefined) return;
    if (found === undefined) throw new RepriseError('STREAM_MISMATCH', `The stream ${wanted.name} is missing.`);
    if (found.metadata?.[PARTITIONS] === RESTORING) throw restoring(wanted.name);
    const differences = await differencesOf(jsm, planned, found, look);
    if (differences.length > 0) {
      const message = `The stream ${wanted.name} is not configured as Reprise needs it: ${differences.join('; ')}.`;
      throw new RepriseError('STREAM_MISMATCH', message, { cause: { differences }, ...partitionsHint(wanted, found) });
    }
  } catch (error) {
    throw operating(error, doing);
  }
}

/** The differences that remain after a stream of an earlier version was updated. */
async function differencesOf(
  jsm: JetStreamManager,
  { wanted, formerly }: Planned,
  found: StreamConfig,
  look: boolean,
): Promise<string[]> {
  const differences = compare(wanted, found);
  if (differences.length === 0 || formerly === undefined) return differences;
  if (compare({ ...wanted, ...formerly }, found).length > 0) return differences;
  if (look) return [];
  // Only the fields that the earlier version configured differently; sizes and replicas stay as they are.
  const updated = Object.fromEntries(Object.keys(formerly).map((field) => [field, wanted[field as keyof Wanted]]));
  return compare(wanted, (await jsm.streams.update(wanted.name, updated)).config);
}

async function find(jsm: JetStreamManager, name: string): Promise<StreamConfig | undefined> {
  try {
    return (await jsm.streams.info(name)).config;
  } catch (error) {
    if (isStreamNotFound(error)) return undefined;
    throw error;
  }
}

async function make(jsm: JetStreamManager, wanted: Wanted): Promise<StreamConfig> {
  try {
    return (await jsm.streams.add(wanted)).config;
  } catch (error) {
    // Another broker was faster, and made it with another configuration.
    const config = isApi(error, NAME_IN_USE) ? await find(jsm, wanted.name) : undefined;
    if (config === undefined) throw error;
    return config;
  }
}

const isApi = (error: unknown, number: number): boolean =>
  error instanceof JetStreamApiError && error.apiError().err_code === number;

const restoring = (stream: string): RepriseError =>
  new RepriseError('RESTORE_UNFINISHED', `The namespace is being restored, and that has not ended: see ${stream}.`);

/** The number of partitions cannot be changed in the stream, so the broker must be started with that number. */
function partitionsHint(wanted: Wanted, actual: StreamConfig): { hint?: string } {
  const [needs, has] = [wanted.metadata[PARTITIONS], actual.metadata?.[PARTITIONS]];
  if (has === undefined || needs === has) return {};
  const hint =
    `The namespace has ${has} partitions, which cannot be changed: ` +
    `start brokers with --partitions ${has}, or use another --namespace.`;
  return { hint };
}

/** One text per field that differs, such as "retention is workqueue, needs limits". */
function compare(wanted: Wanted, actual: StreamConfig): string[] {
  const { metadata: wantedMetadata, ...fields } = wanted;
  const differences = [...difference('', fields, actual as unknown as Record<string, unknown>)];
  return [...differences, ...difference('metadata.', wantedMetadata, actual.metadata ?? {})];
}

function* difference(prefix: string, wanted: object, actual: Record<string, unknown>): Generator<string> {
  for (const [field, value] of Object.entries(wanted)) {
    if (OPERATORS_OWN.has(field)) continue;
    const [is, needs] = [plain(actual[field]), plain(value)];
    if (is !== needs) yield `${prefix}${field} is ${is}, needs ${needs}`;
  }
}

/** Servers leave out fields that are off, empty or zero. */
function plain(value: unknown): string {
  if (value === undefined || value === null || value === false || value === 0 || value === '') return 'off';
  if (Array.isArray(value)) return value.map(plain).join(',') || 'off';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
