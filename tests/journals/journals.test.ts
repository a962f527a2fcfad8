/**
 * A data folder of every release is taken over by this one: it folds to what was recorded, from its beginning and from
 * each of its snapshots; ended jobs are as they were, waiting ones run, and `replay` and `audit verify` work.
 */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pino, { type Logger } from 'pino';
import t from 'tap';
import { startWorker } from '../../worker/start.js';
import { verifyServer } from '../../audit/server.js';
import { history } from '../../replay/history.js';
import { startBroker } from '../../gateways/nats/broker.js';
import { parseJobId, parseNamespace, type Partition } from '../../protocols/ids.js';
import { connectClient, type Client } from '../../sdk/client.js';
import { performer } from '../../sdk/index.js';
import { listQueues } from '../../sdk/queues.js';
import type { PartitionCore } from '../../partition/core/core.js';
import { connectNats } from '../../streams/connect.js';
import { Objects } from '../../streams/snapshots/objects.js';
import { SnapshotStore } from '../../streams/snapshots/store.js';
import { startServer, type RunningServer } from '../../streams/server/start.js';
import { eventually } from '../broker.js';
import { acceptedOf, wrongAcross, wrongFrom } from '../folding/folding-on.js';
import { KEYRING, newCore } from '../play.js';
import { silent } from '../worker/support.js';
import {
  foldedView, folderOf, hashOfView, readRecording, recordedVersions, storedIn, type RecordedJob,
} from './recording.js';

const FINAL: ReadonlySet<string> = new Set(['completed', 'failed', 'cancelled', 'expired', 'unworkable']);
/**
 * What becomes of the jobs that had not ended. Those that were running end with their leases. Two wait for 300 days from
 * when they were recorded; after that they run or expire.
 */
const BECOMES: Readonly<Record<string, readonly string[]>> = {
  ready: ['completed'], 'ready-first': ['completed'], 'ready-after': ['completed'], reclaimed: ['completed'], running: ['completed'], cancelling: ['cancelled'],
  retrying: ['retrying', 'completed'], scheduled: ['scheduled', 'completed', 'expired'],
};

interface Teardown {
  teardown(end: () => Promise<void>): void;
}

/** A server on a copy: a recorded folder is never written to. */
async function serverOn(t: Teardown, version: string): Promise<RunningServer> {
  const copy = await mkdtemp(join(tmpdir(), 'reprise-journal-'));
  await cp(join(folderOf(version), 'data'), copy, { recursive: true });
  const server = await startServer({ dataDir: copy });
  t.teardown(async () => {
    await server.stop();
    await rm(copy, { recursive: true });
  });
  return server;
}

/** Where brokers begin to fold, by partition: at which snapshot, or undefined. */
function noted(): { readonly log: Logger; readonly begun: Map<number, number | undefined> } {
  const begun = new Map<number, number | undefined>();
  const log = pino({ level: 'info' }, {
    write(line: string) {
      const { msg, partition, snapshotSeq } = JSON.parse(line) as { msg: string; partition: number; snapshotSeq?: number };
      if (msg === 'leading') begun.set(partition, snapshotSeq);
    },
  });
  return { log, begun };
}

async function seen(client: Client, { jobId }: RecordedJob): Promise<RecordedJob> {
  const { status, attempt, result, contentType, failure } = await client.get({ jobId });
  const bytes = result === undefined ? undefined : Buffer.from(result instanceof Uint8Array ? result : JSON.stringify(result));
  return {
    jobId, status, attempt, ...(bytes && { resultBase64: bytes.toString('base64') }), ...(contentType && { contentType }),
    ...(failure && { failure: { code: failure.code, message: failure.message } }),
  };
}

for (const version of await recordedVersions()) {
  const recording = await readRecording(version);
  const ns = parseNamespace(recording.namespace)!;

  t.test(`the journals of ${version} fold to what was recorded`, async (t) => {
    const server = await serverOn(t, version);
    for (const [p, { viewHash, viewVersion, seq }] of recording.partitions.entries()) {
      const view = await foldedView(server.brokerUrl, ns, p as Partition, viewVersion);
      t.equal(view.seq, seq);
      t.equal(hashOfView(view), viewHash, `partition ${p}`);
    }
  });

  t.test(`the journals of ${version} fold on from snapshots in between, and behind any segment`, async (t) => {
    const server = await serverOn(t, version);
    for (const p of recording.partitions.keys()) {
      const partition = p as Partition;
      const stored = await storedIn(server.brokerUrl, ns, partition);
      const commits = acceptedOf(stored, partition);
      const fresh = (): PartitionCore => newCore(KEYRING, partition);
      const every4th = [...commits.keys()].filter((at) => at % 4 === p);
      t.equal(await wrongFrom(commits, fresh, every4th), undefined, `partition ${p} from snapshots`);
      t.equal(await wrongAcross(stored, fresh, partition, 1_000), undefined, `partition ${p} across segments`);
    }
  });

  t.test(`folding on from the snapshots of ${version} leads to what was recorded`, async (t) => {
    const server = await serverOn(t, version);
    const nc = await connectNats({ url: server.brokerUrl, name: 'test', reconnect: false });
    t.teardown(() => nc.close());
    const store = new SnapshotStore(new Objects(nc, ns));
    for (const [p, { viewHash, viewVersion, seq, snapshots = [] }] of recording.partitions.entries()) {
      const found = snapshots.length > 0 ? await store.list(p as Partition) : [];
      t.strictSame(found.map((snapshot) => snapshot.seq), snapshots);
      t.ok(snapshots.length >= 2 || version < '0.4.0', 'there are some');
      for (const snapshot of found) {
        t.match(snapshot, { isVerified: true, release: version });
        t.ok(snapshot.seq < seq, 'commits follow');
        const base = { snapshot, parts: await store.read(snapshot.name, snapshot) };
        const view = await foldedView(server.brokerUrl, ns, p as Partition, viewVersion, base);
        t.equal(hashOfView(view), viewHash, `partition ${p} from ${snapshot.seq}`);
      }
    }
  });

  t.test(`a data folder of ${version} is taken over`, async (t) => {
    const server = await serverOn(t, version);
    const partitions = recording.partitions.length;
    const { log, begun } = noted();
    const broker = await startBroker({ url: server.brokerUrl, namespace: ns, partitions, version: '0.0.0', log });
    t.teardown(() => broker.stop());
    await broker.ready;
    const newest = recording.partitions.map(({ snapshots }) => snapshots?.[0]);
    t.strictSame(recording.partitions.map((_, p) => begun.get(p)), newest, 'it begins with the newest snapshot');
    const client = await connectClient({ url: server.url, namespace: ns });
    t.teardown(() => client.close());

    for (const [name, job] of Object.entries(recording.jobs)) {
      if (FINAL.has(job.status)) t.same(await seen(client, job), job, `${name} is as it was`);
    }
    const paused = (await listQueues(client)).filter((queue) => queue.status === 'paused');
    t.strictSame(paused.map(({ queue }) => queue), recording.pausedQueues ?? [], 'queues that were paused');
    const performers = ['recorded', 'lost', 'later'].map((type) => performer(type, () => Promise.resolve('run by another release')));
    const worker = await startWorker({ url: server.url, namespace: ns, performers, log: silent });
    t.teardown(() => worker.stop());
    for (const [name, { jobId, status }] of Object.entries(recording.jobs)) {
      if (FINAL.has(status)) continue;
      const wanted = BECOMES[name.replace(/-\d+$/, '')] ?? [];
      await eventually(async () => wanted.includes((await client.get({ jobId })).status));
      t.pass(`${name}, which was ${status}, is ${wanted.join(' or ')}`);
    }
    const findings = await verifyServer(server.brokerUrl, ns);
    t.same(findings.map(({ ok, problem }) => ({ ok, problem })), recording.partitions.map(() => ({ ok: true, problem: undefined })), 'audit verify');
    for (const [name, { jobId }] of Object.entries(recording.jobs)) {
      const events: string[] = [];
      for await (const fact of history({ url: server.brokerUrl, ns }, parseJobId(jobId)!)) events.push(fact.event.type);
      t.equal(events[0], 'JobSubmitted', `${name} can be replayed`);
    }
  });
}
