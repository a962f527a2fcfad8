/** Checks that the streams of a namespace exist and are configured as the guarantees of the journal need. */
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
import { fail, ok, START_A_BROKER, warn, type Finding } from './finding.js';

export interface StreamsFound {
  readonly findings: readonly Finding[];
  readonly replicas: number;
  readonly partitions: number;
}

export async function streamFindings(nc: NatsConnection, ns: Namespace): Promise<StreamsFound> {
  try {
    const jsm = await jetstreamManager(nc, { checkAPI: false });
    const account = await jsm.getAccountInfo();
    const jetstream = ok('JetStream', `enabled, ${account.streams} streams`);
    const { partitions, replicas, clock } = await firstJournal(jsm, ns);
    if (partitions === 0) {
      const none = fail('partitions', `the namespace ${ns} has none`, START_A_BROKER);
      return { findings: [jetstream, none], replicas, partitions };
    }
    const checked: Checked = { nc, jsm, ns, partitions };
    const findings = [
      ...journalClockFindings(await lastCommits(checked)),
      ...(await partitionsFound(checked)),
      ...(await configured(checked)),
      ...(await headsFound(checked)),
    ];
    return { findings: [jetstream, ...clock, ...findings], replicas, partitions };
  } catch (error) {
    return { findings: [unavailable(operating(error, 'A request to JetStream failed'))], replicas: 1, partitions: 0 };
  }
}

function unavailable({ code, message, hint }: RepriseError): Finding {
  if (code === 'PERMISSION_DENIED') return warn('JetStream', `cannot be checked: ${message} (${code})`, hint);
  const enable = code === 'SERVER_UNREACHABLE' ? ' It is enabled by jetstream {} in nats-server.conf.' : '';
  return fail('JetStream', `${message} (${code})`, `${hint}${enable}`);
}

/** A stream is missing only if the server says so, not if the request for it failed. */
function absent(error: unknown): undefined {
  if (!isStreamNotFound(error)) throw error;
}

/** What the checks of one namespace work on. */
interface Checked {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly ns: Namespace;
  readonly partitions: number;
}

interface FirstJournal {
  readonly partitions: number;
  readonly replicas: number;
  readonly clock: readonly Finding[];
}

/** The number of partitions is in the metadata of the first journal. */
async function firstJournal(jsm: JetStreamManager, ns: Namespace): Promise<FirstJournal> {
  const askedMs = Date.now();
  const info = await jsm.streams.info(streams.journal(ns, 0 as Partition)).catch(absent);
  if (info === undefined) return { partitions: 0, replicas: 1, clock: [] };
  const partitions = Number(info.config.metadata?.['reprise.partitions'] ?? 1);
  const clock = clockFinding(Date.parse(info.ts ?? ''), askedMs, Date.now());
  return { partitions, replicas: info.config.num_replicas, clock };
}

async function partitionsFound({ jsm, ns, partitions }: Checked): Promise<Finding[]> {
  const journals = await Promise.all(Array.from({ length: partitions }, (_, n) =>
    jsm.streams.info(streams.journal(ns, n as Partition)).catch(absent)));
  const missing = journals.flatMap((info, n) => (info === undefined ? [n] : []));
  if (missing.length > 0) {
    const hint = 'Restore them from a copy of the data folder; see `reprise audit verify`.';
    return [fail('partitions', `${partitions}, but the journals of ${missing.join(', ')} are missing`, hint)];
  }
  return [ok('partitions', `${partitions}`)];
}

/** If a journal has commits, an empty witness has lost its heads, and a lost tail would go unnoticed. */
async function headsFound({ nc, jsm, ns, partitions }: Checked): Promise<Finding[]> {
  const [witness, checkpoints] = [openWitness(nc, ns), openCheckpoints(nc, ns)];
  const empty: number[] = [];
  let foreign = 0;
  try {
    for (let n = 0; n < partitions; n += 1) {
      const { state } = await jsm.streams.info(streams.journal(ns, n as Partition));
      const known = await readKnown(witness, checkpoints, n as Partition);
      if (state.messages > 0 && known.witness.heads.length === 0) empty.push(n);
      foreign += known.witness.foreign + known.checkpoints.foreign;
    }
  } catch (error) {
    return [warn('witness', operating(error, 'The known heads cannot be read').message, START_A_BROKER)];
  }
  if (empty.length > 0) {
    const hint = 'Run `reprise audit verify`, and compare the last positions with a backup or with replies to clients.';
    const found = `it has no head of partition ${empty.join(', ')}, which has commits: it was emptied`;
    return [warn('witness', found, hint)];
  }
  if (foreign > 0) {
    const hint = 'Only brokers may write there: compare the users of the server with nats-server.conf.';
    return [warn('witness', `${foreign} messages were not written by a broker and are skipped`, hint)];
  }
  return [ok('witness', 'it has heads of every partition')];
}

/** Of the partitions that this user may read and whose last message is a commit. */
async function lastCommits({ jsm, ns, partitions }: Checked): Promise<Stamped[]> {
  const stamps = await Promise.all(Array.from({ length: partitions }, async (_, partition): Promise<Stamped[]> => {
    try {
      const stream = streams.journal(ns, partition as Partition);
      const message = await jsm.streams.getMessage(stream, { seq: (await jsm.streams.info(stream)).state.last_seq });
      if (!message) return [];
      const { nowMs, events } = decodeLeniently(journal.Commit, message.data);
      // A restore writes it with the time of the journal, which ended when the backup was made.
      if (events?.some(({ type }) => type === 'JournalRestored')) return [];
      return [{ partition, nowMs, storedMs: message.time.getTime() }];
    } catch {
      return [];
    }
  }));
  return stamps.flat();
}

/** Compares existing streams only: a command that checks must not create anything. */
async function configured({ nc, jsm, ns, partitions }: Checked): Promise<Finding[]> {
  const journals = Array.from({ length: partitions }, (_, n) => streams.journal(ns, n as Partition));
  const buckets = [streams.leadership(ns), streams.checkpoints(ns), streams.keys(ns)].map((bucket) => `KV_${bucket}`);
  const wanted = [...journals, streams.witness(ns), ...buckets];
  const names = new Set<string>();
  for await (const name of jsm.streams.names()) names.add(name);
  const missing = wanted.filter((name) => !names.has(name));
  if (missing.length > 0) return [fail('streams', `${missing.join(', ')} missing`, START_A_BROKER)];
  try {
    await ensureTopology(nc, ns, partitions, { look: true });
    return [ok('streams', `${wanted.length} configured as needed`)];
  } catch (error) {
    if (!(error instanceof RepriseError)) throw error;
    return [fail('streams', error.message, error.hint)];
  }
}
