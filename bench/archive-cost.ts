/**
 * What an archived job costs: `node dist/bench/archive-cost.js [jobs]`. Jobs are decided by the core, in commits as a
 * busy leader writes them, archived into a folder, replayed and compared. Bytes, and CPU of the whole process, the
 * thread pool included, beside what deciding and encoding the same jobs costs in the same minutes.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Command } from '../actors/command.js';
import { submit } from '../actors/job/commands/submit.js';
import { submitJob } from '../actors/job/job.submit.js';
import { KINDS } from '../actors/kinds.js';
import type { ReplyTo } from '../actors/reply.js';
import { pull } from '../actors/worker/commands/pull.js';
import { register } from '../actors/worker/commands/register.js';
import { pulledReply } from '../actors/worker/replies.js';
import type { Report } from '../actors/worker/reports.js';
import type { Notice } from '../actors/worker/sessions.js';
import { PartitionCore } from '../partition/core/core.js';
import { jobId, leaderId, parseSession, parseToken, parseWorkerId, type Partition } from '../protocols/ids.js';
import { Keyring, SECRET_BYTES } from '../protocols/keyring.js';
import { job } from '../protocols/messages.js';
import { openArchive } from '../streams/archive/archive.js';
import { FolderStore } from '../streams/archive/folder-store.js';
import { headOf, type Head } from '../streams/chain.js';
import { headerAfter } from '../streams/commit.js';
import type { Stored } from '../streams/journal.js';
import { randomSalts } from '../streams/salts.js';

const P0 = 0 as Partition;
const JOURNAL_ID = '0123456789abcdef';
const TO: ReplyTo = { replyTo: 'replyTo' };
const ROUNDS = 5;
/** Of one segment, as a broker would cut it. */
const SEGMENT_BYTES = 32 * 1024 * 1024;

interface Shape {
  readonly name: string;
  readonly jobsPerCommit: number;
  readonly payload: (nth: number) => string;
  readonly result: string;
  readonly withCommandId: boolean;
}

const SHAPES: readonly Shape[] = [
  { name: 'empty', jobsPerCommit: 100, payload: () => '', result: '', withCommandId: false },
  { name: 'empty, 10 a commit', jobsPerCommit: 10, payload: () => '', result: '', withCommandId: false },
  { name: 'empty, 1 a commit', jobsPerCommit: 1, payload: () => '', result: '', withCommandId: false },
  { name: '{"n":…} and result', jobsPerCommit: 100, payload: (n) => `{"n":${n}}`, result: '1', withCommandId: false },
  { name: 'the same, command id', jobsPerCommit: 100, payload: (n) => `{"n":${n}}`, result: '1', withCommandId: true },
];

/** What a leader writes while jobs are submitted, leased and completed. */
class Leader {
  readonly commits: Stored[] = [];
  private readonly worker = {
    workerId: parseWorkerId('worker-1')!, session: parseSession(randomBytes(16).toString('base64url'))!,
  };
  private readonly core = new PartitionCore({
    partition: P0, kinds: KINDS, keyring: new Keyring([{ id: 'bench', secret: randomBytes(SECRET_BYTES) }]),
    salts: randomSalts(),
  });
  private readonly leader = { leaderId: leaderId(randomBytes(10)), epoch: 1 };
  private head: Head = {
    journalId: JOURNAL_ID, partition: P0, seq: 0, hash: new Uint8Array(0), epoch: 1, nowMs: Date.now(), minReader: 0,
  };
  private pullSeq = 0;
  private reports: Report[] = [];

  constructor(private readonly shape: Shape) {
    this.core.replay({ ...this.head, events: [] } as never, 0);
    const { worker } = this;
    const offer = { types: ['noop'], queues: [], capacity: shape.jobsPerCommit, capabilities: '', weights: {} };
    const registered = { ...worker, ...offer, software: '' };
    this.step(register, { proof: '', worker: registered, partitions: 1 });
    this.write();
  }

  /** One commit: new jobs, their leases, and the results of those before. */
  round(nth: number): void {
    const { shape: { jobsPerCommit, payload, withCommandId, result }, worker, reports } = this;
    const jobs = Array.from({ length: jobsPerCommit }, (_, n) => {
      const request = { type: 'noop', payload: Buffer.from(payload(nth * jobsPerCommit + n)) };
      const commandId = withCommandId ? randomBytes(12).toString('base64url') : '';
      const submitted = submitJob(job.SubmitJob.create({ ...request, commandId }) as job.SubmitJob, 0);
      return { id: jobId(P0, randomBytes(10)), job: submitted };
    });
    this.step(submit, { jobs, waitMs: undefined });
    const pullSeq = (this.pullSeq += 1);
    const free = jobsPerCommit;
    this.step(pull, { ...worker, partition: P0, pullSeq, free, expiresMs: 1_000, held: [], reports });
    const outcome = { kind: 'ok', result: Buffer.from(result), contentType: '' } as const;
    this.reports = this.write().map(({ token }) => ({ token, ...parseToken(token)!, outcome }));
  }

  private step<Checked extends object>(command: Pick<Command<object, Checked>, 'decide'>, request: Checked): void {
    const moment = { nowMs: Date.now(), monoMs: performance.now(), draw: 0.5 };
    this.core.step(moment, (step) => command.decide(step, request, { to: TO, by: 'bench' }));
  }

  private write(): Notice['leases'] {
    const leases: Notice['leases'][number][] = [];
    for (let batch = this.core.take(); batch; batch = this.core.take()) {
      for (const effect of batch.effects) {
        if (effect.kind === 'answer' && effect.reply === pulledReply) leases.push(...(effect.answer as Notice).leases);
      }
      if (batch.events.length === 0) continue;
      const header = headerAfter(this.head, this.leader, batch.nowMs);
      const bytes = batch.body.commit(header);
      this.head = headOf(header, P0, this.head.seq + 1, bytes);
      this.commits.push({ seq: this.head.seq, bytes });
    }
    return leases;
  }
}

const cpuUs = (): number => process.cpuUsage().user + process.cpuUsage().system;
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1]!;

interface Measured {
  readonly decidedUs: number;
  readonly archivedUs: number;
  readonly replayedUs: number;
  /** The longest time that one call kept the thread, in milliseconds. */
  readonly longestMs: number;
  readonly journalBytes: number;
  readonly archiveBytes: number;
}

async function measure(shape: Shape, jobs: number, folder: string): Promise<Measured> {
  const started = cpuUs();
  const leader = new Leader(shape);
  for (let nth = 0; nth < jobs / shape.jobsPerCommit; nth += 1) leader.round(nth);
  const decided = cpuUs();
  const archive = await openArchive(new FolderStore(folder), 'bench', P0, JOURNAL_ID);
  let [writer, longestMs] = [archive.next(), 0];
  const { commits } = leader;
  for (const [nth, commit] of commits.entries()) {
    const before = performance.now();
    const added = writer.add(commit);
    longestMs = Math.max(longestMs, performance.now() - before);
    await added;
    if (writer.rawBytes < SEGMENT_BYTES && nth < commits.length - 1) continue;
    await archive.write(await writer.finish());
    writer = archive.next();
  }
  const archived = cpuUs();
  for await (const { seq, bytes } of archive.replay(1)) {
    if (Buffer.compare(bytes, commits[seq - 1]!.bytes) !== 0) throw new Error(`The commit at ${seq} differs.`);
  }
  const replayed = cpuUs();
  const sizes = archive.manifests.map(({ facts, contents }) =>
    facts.blocks.bytes + facts.index.bytes + contents.bytes + JSON.stringify({ facts, contents }).length);
  return {
    decidedUs: (decided - started) / jobs, archivedUs: (archived - decided) / jobs, longestMs,
    replayedUs: (replayed - archived) / jobs,
    journalBytes: commits.reduce((sum, { bytes }) => sum + bytes.length, 0) / jobs,
    archiveBytes: sizes.reduce((sum, bytes) => sum + bytes, 0) / jobs,
  };
}

const jobCount = Number(process.argv[2] ?? 40_000);
const temporary = await mkdtemp(join(tmpdir(), 'reprise-archive-'));
try {
  console.log('per job: journal → archive; CPU decided, archived, replayed; longest call');
  for (const [nth, shape] of SHAPES.entries()) {
    const rounds: Measured[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      rounds.push(await measure(shape, jobCount, join(temporary, `${nth}-${round}`)));
    }
    const of = (figure: keyof Measured): number => median(rounds.map((round) => round[figure]));
    console.log(
      `${shape.name.padEnd(22)} ${of('journalBytes').toFixed(0)} → ${of('archiveBytes').toFixed(1)} bytes; ` +
        `${of('decidedUs').toFixed(1)}, ${of('archivedUs').toFixed(1)}, ${of('replayedUs').toFixed(1)} µs; ` +
        `${of('longestMs').toFixed(1)} ms`,
    );
  }
} finally {
  await rm(temporary, { recursive: true, force: true });
}
