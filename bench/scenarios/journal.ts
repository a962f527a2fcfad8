/** The bare journal: commits of a realistic size, each appended when the previous one is acknowledged. */
import { job, journal } from '../../protocols/messages.js';
import { headOf, type Head } from '../../streams/chain.js';
import { encodeCommit, encodeEvents, headerAfter } from '../../streams/commit.js';
import { connectNats } from '../../streams/connect.js';
import { openJournal } from '../../streams/jetstream.js';
import type { Journal } from '../../streams/journal.js';
import { ensureTopology } from '../../streams/topology.js';
import { startServer } from '../../streams/server/start.js';
import { payloadBytes } from '../client/payload.js';
import type { Scope } from '../processes/scope.js';
import { median } from '../output/statistics.js';
import { namespace, partition } from '../reprise/tally.js';
import type { JournalSpeed } from '../results.js';

type Log = (line: string) => void;
type BareJournal = JournalSpeed & { readonly eventsPerCommit: number };

const JOBS_PER_COMMIT = 100;
const COMMITS = 500;
const WITHIN_MS = 5_000;

export async function bareJournal(scope: Scope, runs: number, log: Log): Promise<BareJournal> {
  log('the bare journal');
  const opened = await openFresh(scope);
  const events = eventsOfJobs();
  let head: Head = { journalId: 'bench', partition, seq: 0, hash: new Uint8Array(0), epoch: 1, nowMs: 0, minReader: 0 };
  const speeds: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    const ran = await append(opened, head, events);
    head = ran.head;
    speeds.push(ran.commitsPerSecond);
  }
  const commitsPerSecond = median(speeds);
  return { commitsPerSecond, eventsPerSecond: commitsPerSecond * events.length, eventsPerCommit: events.length };
}

async function openFresh(scope: Scope): Promise<Journal> {
  const server = await startServer({ dataDir: await scope.temporaryFolder('journal') });
  scope.add(() => server.stop());
  const connection = await connectNats({ url: server.brokerUrl, name: 'bench', reconnect: false });
  scope.add(() => connection.close());
  await ensureTopology(connection, namespace, 1);
  const opened = await openJournal({ url: server.brokerUrl, ns: namespace, partition });
  scope.add(() => opened.close());
  return opened;
}

interface Appended {
  readonly head: Head;
  readonly commitsPerSecond: number;
}

async function append(to: Journal, from: Head, events: readonly Uint8Array[]): Promise<Appended> {
  const start = performance.now();
  let [head, commits] = [from, 0];
  for (; commits < COMMITS && performance.now() - start < WITHIN_MS; commits += 1) {
    const header = headerAfter(head, { leaderId: 'bench', epoch: 1 }, Date.now());
    const bytes = encodeCommit(header, encodeEvents(events));
    const appended = await to.append(bytes, head.seq);
    if (appended.kind !== 'committed') throw new Error(`The journal refused a commit: ${appended.message}`);
    head = headOf(header, partition, appended.seq, bytes);
  }
  return { head, commitsPerSecond: commits / ((performance.now() - start) / 1_000) };
}

/** The events of {@link JOBS_PER_COMMIT} jobs: submitted, leased, completed. */
function eventsOfJobs(): Uint8Array[] {
  const backoff = { backoffInitialMs: 1_000, backoffFactor: 2, backoffMaxMs: 60_000, backoffJitter: 0.1 };
  const policy = { maxAttempts: 3, ...backoff };
  const lease = { status: 'running', attempt: 1, lease: 1, workerId: 'bench', session: '0123456789abcdef', pullSeq: 1 };
  const submitted = { status: 'ready', jobType: 'noop', queue: 'default', payload: payloadBytes, policy };
  const bodies = [
    ['JobSubmitted', job.JobSubmitted.encode(submitted).finish()],
    ['JobLeased', job.JobLeased.encode(lease).finish()],
    ['JobCompleted', job.JobCompleted.encode({ status: 'completed', attempt: 1, lease: 1 }).finish()],
  ] as const;
  const eventsOf = (id: string): Uint8Array[] =>
    bodies.map(([type, body]) => journal.Event.encode({ kind: 'job', id, type, version: 1, body }).finish());
  return Array.from({ length: JOBS_PER_COMMIT }, (_, n) => eventsOf(`0-${String(n).padStart(16, '0')}`)).flat();
}
