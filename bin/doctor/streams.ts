/** Whether the streams of a namespace are there and configured as the journal's promises need. */
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { decodeLeniently } from '../../protocols/lenient.js';
import { journal } from '../../protocols/messages.js';
import { streams } from '../../protocols/subjects.js';
import { isStreamNotFound, operating } from '../../streams/connect.js';
import { openCheckpoints, openWitness, readKnown } from '../../streams/heads.js';
import { ensureTopology } from '../../streams/topology.js';
import { clockFinding, journalClockFindings, type Stamped } from './clock.js';
import { fail, ok, warn, type Finding } from './finding.js';

export interface StreamsFound {
  readonly findings: readonly Finding[];
  readonly replicas: number;
  readonly partitions: number;
}

const START_A_BROKER = 'Start a broker, which makes what is missing: `reprise broker` or `reprise dev`.';

export async function streamFindings(nc: NatsConnection, ns: Namespace): Promise<StreamsFound> {
  try {
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    const account = await jsm.getAccountInfo();
    const jetstream = ok('JetStream', `on, ${account.streams} streams`);
    const { partitions, replicas, clock } = await firstJournal(jsm, ns);
    if (partitions === 0) return { findings: [jetstream, fail('partitions', `the namespace ${ns} has none`, START_A_BROKER)], replicas, partitions };
    const findings = [
      ...journalClockFindings(await lastCommits(jsm, ns, partitions)), ...(await partitionsFound(jsm, ns, partitions)),
      ...(await configured(nc, jsm, ns, partitions)), ...(await headsFound(nc, jsm, ns, partitions)),
    ];
    return { findings: [jetstream, ...clock, ...findings], replicas, partitions };
  } catch (error) {
    const { code, message, hint } = operating(error, 'Asking JetStream failed');
    const none = { replicas: 1, partitions: 0 };
    if (code === 'PERMISSION_DENIED') return { findings: [warn('JetStream', `cannot be looked at: ${message} (${code})`, hint)], ...none };
    const whatElse = code === 'SERVER_UNREACHABLE' ? ' It is turned on by jetstream {} in nats-server.conf.' : '';
    return { findings: [fail('JetStream', `${message} (${code})`, `${hint}${whatElse}`)], ...none };
  }
}

/** Only a stream that the server does not know is missing; one that could not be asked for is not. */
function absent(error: unknown): undefined {
  if (!isStreamNotFound(error)) throw error;
}

interface First {
  readonly partitions: number;
  readonly replicas: number;
  readonly clock: readonly Finding[];
}

/** The first journal knows how many there are. */
async function firstJournal(jsm: JetStreamManager, ns: Namespace): Promise<First> {
  const asked = Date.now();
  const info = await jsm.streams.info(streams.journal(ns, 0 as Partition)).catch(absent);
  if (info === undefined) return { partitions: 0, replicas: 1, clock: [] };
  const partitions = Number(info.config.metadata?.['reprise.partitions'] ?? 1);
  return { partitions, replicas: info.config.num_replicas, clock: clockFinding(Date.parse(info.ts ?? ''), asked, Date.now()) };
}

async function partitionsFound(jsm: JetStreamManager, ns: Namespace, partitions: number): Promise<Finding[]> {
  const heads = await Promise.all(Array.from({ length: partitions }, async (_, n) => {
    const info = await jsm.streams.info(streams.journal(ns, n as Partition)).catch(absent);
    return info && { seq: info.state.last_seq, bytes: info.state.bytes };
  }));
  const missing = heads.flatMap((head, n) => (head === undefined ? [n] : []));
  if (missing.length > 0) return [fail('partitions', `${partitions}, but the journals of ${missing.join(', ')} are missing`, 'Restore them from a copy of the data folder; see `reprise audit verify`.')];
  return [ok('partitions', `${partitions}; last positions: ${heads.map((head, n) => `${n} at ${head!.seq} (${size(head!.bytes)})`).join(', ')}`)];
}

/** An empty witness beside a journal with commits was emptied, and a lost tail would not be noticed. */
async function headsFound(nc: NatsConnection, jsm: JetStreamManager, ns: Namespace, partitions: number): Promise<Finding[]> {
  const [witness, checkpoints] = [openWitness(nc, ns), openCheckpoints(nc, ns)];
  const empty: number[] = [];
  let strangers = 0;
  try {
    for (let n = 0; n < partitions; n += 1) {
      const { state } = await jsm.streams.info(streams.journal(ns, n as Partition));
      const known = await readKnown(witness, checkpoints, n as Partition);
      if (state.messages > 0 && known.witness.heads.length === 0) empty.push(n);
      strangers += known.witness.foreign + known.checkpoints.foreign;
    }
  } catch (error) {
    return [warn('witness', operating(error, 'The known heads cannot be read').message, START_A_BROKER)];
  }
  if (empty.length > 0) return [warn('witness', `knows no head of partition ${empty.join(', ')}, which has commits: it was emptied`, 'Run `reprise audit verify`, and compare the last positions with a backup or with what clients were answered.')];
  if (strangers > 0) return [warn('witness', `${strangers} messages of strangers, which are skipped`, 'Only brokers may write there: compare the users of the server with nats-server.conf.')];
  return [ok('witness', 'knows heads of every partition')];
}

/** Of those partitions that this user may read and whose last message is a commit. */
async function lastCommits(jsm: JetStreamManager, ns: Namespace, partitions: number): Promise<Stamped[]> {
  const stamps = await Promise.all(Array.from({ length: partitions }, async (_, partition): Promise<Stamped[]> => {
    try {
      const stream = streams.journal(ns, partition as Partition);
      const message = await jsm.streams.getMessage(stream, { seq: (await jsm.streams.info(stream)).state.last_seq });
      return message ? [{ partition, nowMs: decodeLeniently(journal.Commit, message.data).nowMs, storedMs: message.time.getTime() }] : [];
    } catch {
      return [];
    }
  }));
  return stamps.flat();
}

/** Only what is there is compared: a command that looks must not make anything. */
async function configured(nc: NatsConnection, jsm: JetStreamManager, ns: Namespace, partitions: number): Promise<Finding[]> {
  const wanted = [...Array.from({ length: partitions }, (_, n) => streams.journal(ns, n as Partition)), streams.witness(ns), `KV_${streams.leadership(ns)}`, `KV_${streams.checkpoints(ns)}`, `KV_${streams.keys(ns)}`];
  const names = new Set<string>();
  for await (const name of jsm.streams.names()) names.add(name);
  const missing = wanted.filter((name) => !names.has(name));
  if (missing.length > 0) return [fail('streams', `${missing.join(', ')} missing`, START_A_BROKER)];
  try {
    await ensureTopology(nc, ns, partitions, { look: true });
    return [ok('streams', `${wanted.length} configured as they must be`)];
  } catch (error) {
    if (!(error instanceof RepriseError)) throw error;
    return [fail('streams', error.message, error.hint)];
  }
}

const size = (bytes: number): string => (bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${Math.round(bytes / 1_000_000)} MB`);
