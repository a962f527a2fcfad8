/**
 * How long a broker takes to take over an existing journal, and its peak memory:
 * `node dist/bench/take-over.js [--live jobs] [--ended jobs] [--snapshot]`. The jobs are decided by the core and
 * appended to a real server; then a process takes over, three times, and the median is shown. An ended job has three
 * events. With --snapshot, a broker takes one first.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { randomBytes } from 'node:crypto';
import pino from 'pino';
import { submitJob, type SubmitJob } from '../actors/job/job.submit.js';
import { PartitionCore } from '../partition/core/core.js';
import type { Effect } from '../actors/effect.js';
import type { Command } from '../actors/command.js';
import { submit } from '../actors/job/commands/submit.js';
import { KINDS } from '../actors/kinds.js';
import type { ReplyTo } from '../actors/reply.js';
import { pull } from '../actors/worker/commands/pull.js';
import { register } from '../actors/worker/commands/register.js';
import { report } from '../actors/worker/commands/report.js';
import { pulledReply } from '../actors/worker/replies.js';
import type { Notice } from '../actors/worker/sessions.js';
import { startBroker } from '../gateways/nats/broker.js';
import { jobId, journalId, leaderId, parseNamespace, parseSession } from '../protocols/ids.js';
import { parseToken, parseWorkerId } from '../protocols/ids.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import { Keyring, SECRET_BYTES } from '../protocols/keyring.js';
import { job } from '../protocols/messages.js';
import { randomSalts } from '../streams/salts.js';
import { headerAfter } from '../streams/commit.js';
import { headOf, type Head } from '../streams/chain.js';
import { connectNats } from '../streams/connect.js';
import { openJournal } from '../streams/jetstream.js';
import type { Journal } from '../streams/journal.js';
import { startServer } from '../streams/server/start.js';
import { takeOver } from '../streams/takeover.js';
import { ensureTopology } from '../streams/topology.js';

const NS = parseNamespace('bench') as Namespace;
const P0 = 0 as Partition;
const RUNS = 3;
const AT_ONCE = 500;
const TO: ReplyTo = { replyTo: 'replyTo' };
const WORKER = { workerId: parseWorkerId('w')!, session: parseSession('s')! };
const PAYLOAD = Buffer.from(JSON.stringify({ text: 'x'.repeat(188) }));
const JOB: SubmitJob = submitJob(job.SubmitJob.create({ type: 'noop', payload: PAYLOAD }) as job.SubmitJob, 0);

interface Measured {
  readonly tookMs: number;
  readonly peakMb: number;
  readonly rssMb: number;
  /** Of a snapshot. */
  readonly bytes?: number;
  readonly frozeMs?: number;
}

interface Logged extends Omit<Measured, 'peakMb' | 'rssMb'> {
  readonly msg: string;
}

/** After a collection, if Node was started with --expose-gc. */
function rssMb(): number {
  globalThis.gc?.();
  return Math.round(process.memoryUsage().rss / 1024 / 1024);
}

const leasesIn = (effect: Effect): Notice['leases'] =>
  effect.kind === 'answer' && effect.reply === pulledReply ? (effect.answer as Notice).leases : [];

/** Appends what the core decides, one commit at a time. */
class Writer {
  private readonly core = new PartitionCore({
    partition: P0, kinds: KINDS, keyring: new Keyring([{ id: 'bench', secret: randomBytes(SECRET_BYTES) }]),
    salts: randomSalts(),
  });
  private pullSeq = 0;

  constructor(
    private readonly journal: Journal,
    private head: Head,
  ) {
    this.core.replay({ ...head, events: [] } as never, head.seq);
  }

  async submit(): Promise<void> {
    const jobs = Array.from({ length: AT_ONCE }, () => {
      return { id: jobId(P0, randomBytes(10)), job: { ...JOB, commandId: randomBytes(12).toString('base64url') } };
    });
    this.step(submit, { jobs, waitMs: undefined });
    await this.write();
  }

  async register(): Promise<void> {
    const offer = { types: [JOB.type], queues: [], capacity: AT_ONCE, capabilities: '', weights: {} };
    const worker = { ...WORKER, ...offer, software: '' };
    this.step(register, { proof: '', worker, partitions: 1 });
    await this.write();
  }

  async perform(): Promise<void> {
    const pullSeq = (this.pullSeq += 1);
    this.step(pull, { ...WORKER, partition: P0, pullSeq, free: AT_ONCE, expiresMs: 1_000, held: [], reports: [] });
    const effects = await this.write();
    const leases = effects.flatMap(leasesIn);
    const outcome = { kind: 'ok', result: Buffer.from('null'), contentType: '' } as const;
    const reports = leases.map(({ token }) => ({ token, ...parseToken(token)!, outcome }));
    this.step(report, { ...WORKER, partition: P0, reports });
    await this.write();
  }

  private step<Checked extends object>(command: Pick<Command<object, Checked>, 'decide'>, request: Checked): void {
    const moment = { nowMs: Date.now(), monoMs: performance.now(), draw: 0.5 };
    this.core.step(moment, (step) => command.decide(step, request, { to: TO, by: 'bench' }));
  }

  private async write(): Promise<Effect[]> {
    const effects: Effect[] = [];
    for (let batch = this.core.take(); batch; batch = this.core.take()) {
      effects.push(...batch.effects);
      if (batch.events.length === 0) continue;
      const leader = { leaderId: 'bench', epoch: this.head.epoch };
      const header = headerAfter(this.head, leader, batch.nowMs, batch.neededReader);
      const bytes = batch.body.commit(header);
      const appended = await this.journal.append(bytes, this.head.seq);
      if (appended.kind !== 'committed') throw new Error(`${appended.kind}: ${appended.message}`);
      this.head = headOf(header, P0, appended.seq, bytes);
    }
    return effects;
  }
}

async function fill(brokerUrl: string, live: number, ended: number): Promise<void> {
  const nc = await connectNats({ url: brokerUrl, name: 'bench', reconnect: false });
  await ensureTopology(nc, NS, 1);
  await nc.close();
  const taken = await takeOver(await openJournal({ url: brokerUrl, ns: NS, partition: P0 }), {
    known: [],
    broker: 'bench',
    leaderId: () => leaderId(randomBytes(10)),
    journalId: () => journalId(randomBytes(10)),
    nowMs: () => Date.now(),
    onCommit: () => undefined,
  });
  if (taken.kind !== 'leading') throw new Error(taken.why);
  const writer = new Writer(taken.journal, taken.head);
  if (ended > 0) await writer.register();
  for (let jobs = 0; jobs < ended; jobs += AT_ONCE) {
    await writer.submit();
    await writer.perform();
  }
  for (let jobs = 0; jobs < live; jobs += AT_ONCE) await writer.submit();
  await taken.journal.close();
}

/** The broker logs how long it took from winning the election until it leads. */
async function child(url: string, untilSnapshot: boolean): Promise<void> {
  const write = (line: string): void => {
    const { msg, tookMs, bytes, frozeMs } = JSON.parse(line) as Logged;
    const peakMb = Math.round(process.resourceUsage().maxRSS / 1024);
    if (msg === 'leading' && !untilSnapshot) process.send!({ tookMs, peakMb, rssMb: rssMb() });
    if (msg === 'snapshot' && untilSnapshot) process.send!({ tookMs, peakMb, rssMb: rssMb(), bytes, frozeMs });
  };
  const log = pino({ level: 'info' }, { write });
  const indexDir = process.env['BENCH_INDEX'];
  const options = { url, namespace: NS, partitions: 1, version: '0.0.0', log };
  const broker = await startBroker({ ...options, ...(indexDir && { indexDir }) });
  await once(process, 'disconnect');
  await broker.stop();
  process.exit(0);
}

async function takeOverOnce(url: string, flags: readonly string[] = []): Promise<Measured> {
  const broker = fork(fileURLToPath(import.meta.url), ['--child', url, ...flags]);
  const [measured] = (await once(broker, 'message')) as [Measured];
  broker.disconnect();
  await once(broker, 'exit');
  return measured;
}

async function snapshot(url: string): Promise<void> {
  const { tookMs, bytes = 0, frozeMs, rssMb: rss } = await takeOverOnce(url, ['--until-snapshot']);
  const size = Math.round(bytes / 1_000_000);
  process.stdout.write(`snapshot of ${size} MB in ${tookMs} ms, frozen in ${frozeMs} ms, ${rss} MB resident\n`);
}

async function parent(live: number, ended: number): Promise<void> {
  const dataDir = await mkdtemp(join(tmpdir(), 'reprise-take-over-'));
  const server = await startServer({ dataDir });
  try {
    await fill(server.brokerUrl, live, ended);
    if (process.argv.includes('--snapshot')) await snapshot(server.brokerUrl);
    const runs: Measured[] = [];
    for (let n = 0; n < RUNS; n += 1) runs.push(await takeOverOnce(server.brokerUrl));
    runs.sort((a, b) => a.tookMs - b.tookMs);
    const { tookMs, peakMb, rssMb: rss } = runs[Math.floor(RUNS / 2)]!;
    const journal = `${live} live jobs, ${ended} ended ones, ${live + 3 * ended} events`;
    const each = runs.map((run) => run.tookMs).join(', ');
    process.stdout.write(`${journal}: ${tookMs} ms, peak ${peakMb} MB, resident ${rss} MB (${each})\n`);
  } finally {
    await server.stop();
    await rm(dataDir, { recursive: true, force: true });
  }
}

function given(name: string): string | undefined {
  const index = process.argv.indexOf(name);
  return index === -1 ? undefined : process.argv[index + 1];
}

const childOf = given('--child');
if (childOf !== undefined) await child(childOf, process.argv.includes('--until-snapshot'));
else await parent(Number(given('--live') ?? 0), Number(given('--ended') ?? 0));
