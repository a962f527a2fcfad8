/** A partition whose journal is archived and truncated, in memory, and the lives of its brokers one after another. */
import pino from 'pino';
import { contentFields } from '../../actors/cast.js';
import type { Command } from '../../actors/command.js';
import { submit } from '../../actors/job/commands/submit.js';
import { jobKind } from '../../actors/job/job.kind.js';
import type { SubmitJob } from '../../actors/job/job.decide.js';
import { KINDS } from '../../actors/kinds.js';
import { pause } from '../../actors/queue/commands/pause.js';
import type { Reply, ReplyReceiver } from '../../actors/reply.js';
import { pull } from '../../actors/worker/commands/pull.js';
import { register } from '../../actors/worker/commands/register.js';
import { Archiver } from '../../partition/archiver/archiver.js';
import { newBroken } from '../../partition/core/failing.js';
import { Leader } from '../../partition/leader/leader.js';
import { Snapshotter } from '../../partition/leader/snapshotter.js';
import { Terms, type Term } from '../../partition/leader/terms.js';
import { truncating } from '../../partition/leader/truncating.js';
import type { Truncator } from '../../partition/leader/truncator.js';
import { parseToken, type Namespace, type Partition, type Token } from '../../protocols/ids.js';
import { openArchive } from '../../streams/archive/archive.js';
import { archiveBehind } from '../../streams/archive/behind.js';
import { MemoryStore } from '../../streams/archive/conformance/stores.js';
import type { Appended, Journal } from '../../streams/journal.js';
import { MemoryStream } from '../../streams/memory.js';
import { Payloads } from '../../streams/payloads.js';
import { readingThrough } from '../../streams/reading-through.js';
import { Carried } from '../../streams/snapshots/carried.js';
import { MemoryObjects } from '../../streams/snapshots/conformance/objects.js';
import { SnapshotStore } from '../../streams/snapshots/store.js';
import { job, KEYRING, Play, session, worker } from '../play.js';
import { Faults } from './faults.js';

const P0 = 0 as Partition;
const NS = 'test' as Namespace;
const log = pino({ level: process.env['REPRISE_TEST_LOG'] ?? 'silent' }, pino.destination(2));
const POLICY = { margin: 1, least: 1, mostLag: 1_000_000, everyMs: 1_000_000_000 };

/** Keeps aside what was ever written. */
class KeptStream extends MemoryStream {
  readonly history = new Map<number, Uint8Array>();

  override write(bytes: Uint8Array, expectedSeq?: number): Appended {
    const appended = super.write(bytes, expectedSeq);
    if (appended.kind === 'committed') this.history.set(appended.seq, bytes.slice());
    return appended;
  }
}

/** What outlives every broker. */
export class Outliving {
  readonly stream = new KeptStream(P0);
  readonly objects = new MemoryObjects();
  readonly archive = new MemoryStore();
  /** The payload of every job that was acknowledged. */
  readonly acknowledged = new Map<string, string>();
  readonly ids = new Play();
  archivedSeq = 0;
  private nowMs = 1_700_000_000_000;

  get clock() {
    return { nowMs: () => (this.nowMs += 1), monoMs: () => this.nowMs - 1_600_000_000_000, draw: () => 0.5 };
  }

  through(journal: Journal): Journal {
    return readingThrough(journal, (of) => archiveBehind(this.archive, NS, of));
  }

  /** Everything that is in the journal. */
  async archiveAll(): Promise<void> {
    const archiver = new Archiver({
      journal: await this.stream.open(), policy: { segmentBytes: 4_000, intervalMs: 0 }, monoMs: () => 0,
      goesOn: () => true, openArchive: (of) => openArchive(this.archive, NS, P0, of),
      onArchived: ({ seq }) => void (this.archivedSeq = seq),
    });
    await archiver.step();
  }
}

/** A broker that leads, wired as its host does. */
export class Life {
  private nth = 0;
  private pullSeq = 0;
  private ended: unknown;

  private constructor(
    private readonly outliving: Outliving,
    private readonly terms: Terms,
    readonly term: Term,
    private readonly leader: Leader,
    private readonly snapshotter: Snapshotter,
    private readonly truncator: Truncator,
    readonly carried: Carried,
  ) {
    void leader.lost.then((lost) => (this.ended = lost));
  }

  /** @throws what a fault of the take-over throws */
  static async begin(outliving: Outliving, faults: Faults): Promise<Life> {
    const { clock, stream } = outliving;
    const objects = faults.objects(outliving.objects);
    const snapshots = new SnapshotStore(objects);
    const options = {
      partition: P0, kinds: KINDS, keyring: KEYRING, maxCommitBytes: 500_000, release: '0.0.0', followers: [], log,
      clock, snapshots, broker: 'test',
    };
    const terms = new Terms({ ...options, knownHeads: async () => [], lastHead: () => undefined });
    const term = await terms.takeOver(outliving.through(faults.journal(await stream.open())));
    if (term === undefined) throw new Error('deposed');
    const { core, journal, head, leaderId } = term;
    const carried = new Carried(objects, P0);
    if (core.state.truncated) await carried.open(core.state.journalId);
    const bytes = new Payloads((seq) => journal.read(seq), contentFields(KINDS), carried);
    const snapshotter = new Snapshotter({ ...options, store: snapshots });
    const leader = new Leader({
      core, journal, head, leaderId, bytes, archive: { find: async () => undefined }, followers: [], clock,
      snapshots: snapshotter, receiving: { deliverables: new Map(), ...newBroken() }, maxCommitBytes: 500_000,
      deliver: () => Promise.reject(new Error('nothing is delivered')), validForMs: () => 1_000, onHead: () => {},
      onApart: () => {}, onUndelivered: () => {}, onUndecided: () => {}, onWithheld: () => {},
    });
    const archived = (): { seq: number } => ({ seq: outliving.archivedSeq });
    const truncator = truncating({ leader, core, journal, bytes }, {
      partition: P0, snapshots, carried, archived, projections: () => [], clock, log, policy: POLICY,
    });
    const life = new Life(outliving, terms, term, leader, snapshotter, truncator, carried);
    await Promise.race([truncator.run(), leader.lost]);
    return life;
  }

  get hasEnded(): boolean {
    return this.ended !== undefined;
  }

  /** @returns undefined if it was refused, or the leader ended before the reply */
  private async ask(command: Command, checked: object): Promise<unknown> {
    const replied = new Promise<Reply>((resolve) => {
      const to: ReplyReceiver = { replyTo: 'replyTo', reply: resolve };
      this.leader.handle(command, checked, { to, by: 'client' });
    });
    const reply = await Promise.race([replied, this.leader.lost.then(() => undefined)]);
    return reply?.message;
  }

  async submit(over: Partial<SubmitJob> = {}): Promise<void> {
    this.nth += 1;
    const payload = `${this.outliving.acknowledged.size}:${'x'.repeat((this.nth * 977) % 3_000)}`;
    const id = this.outliving.ids.nextId();
    const jobs = [{ id, job: { ...job(), payload: Buffer.from(JSON.stringify(payload)), ...over } }];
    const message = await this.ask(submit, { waitMs: undefined, jobs });
    const [made] = (message as { jobs?: { jobId?: string }[] } | undefined)?.jobs ?? [];
    if (made?.jobId === id) this.outliving.acknowledged.set(id, JSON.stringify(payload));
  }

  async pauseQueue(queue: string): Promise<void> {
    await this.ask(pause, { queue, reason: 'maintenance', commandId: `pause-${queue}` });
  }

  /** Leases jobs, and reports some of them. @returns payloads by id */
  async lease(free: number, completed = 0): Promise<Map<string, string>> {
    const identity = { workerId: worker('w'), session: session('w') };
    const registered = { ...identity, types: ['square'], queues: [], capacity: 10, software: '' };
    await this.ask(register, { proof: '', worker: registered, partitions: 1 });
    const leased = await this.pull({ ...identity, free, held: [], reports: [] });
    const reports = leased.slice(0, completed).map(({ token }) => ({
      token: token as Token, ...parseToken(token)!,
      outcome: { kind: 'ok', result: Buffer.from('1'), contentType: '' },
    }));
    if (reports.length > 0) await this.pull({ ...identity, free: 0, held: [], reports });
    return new Map(leased.map(({ jobId, payload }) => [jobId!, Buffer.from(payload ?? []).toString()]));
  }

  private async pull(of: object): Promise<{ token: string; jobId?: string; payload?: Uint8Array }[]> {
    this.pullSeq += 1;
    const message = await this.ask(pull, { ...of, partition: P0, pullSeq: this.pullSeq, expiresMs: 0 });
    return (message as { leases?: never[] } | undefined)?.leases ?? [];
  }

  async snapshot(): Promise<string> {
    const taken = await Promise.race([this.snapshotter.ask(), this.nudge()]);
    return (taken as { kind?: string } | undefined)?.kind ?? 'ended';
  }

  /** A snapshot is taken as a commit ends. */
  private async nudge(): Promise<unknown> {
    await this.submit();
    return this.leader.lost;
  }

  async truncate(): Promise<void> {
    await this.outliving.archiveAll();
    await Promise.race([this.truncator.run(), this.leader.lost]);
  }

  /** As its host does it: an ambiguous commit is settled first, so that whoever waits for it is told. */
  async end(): Promise<void> {
    await this.leader.stop();
    const lost = await this.leader.lost;
    const { leader, term: { journal } } = this;
    if (lost.kind === 'ambiguous' && lost.pending) {
      const next = await this.terms.settle(leader, journal, lost.pending).catch(() => undefined);
      await next?.journal.close();
    }
    await Promise.all([this.snapshotter.end(), this.truncator.end()]);
    await this.term.journal.close();
  }

  /** Payloads of all jobs that have not ended, without the archive. */
  async payloads(): Promise<Map<string, string>> {
    const { stream, objects } = this.outliving;
    const journal = await stream.open();
    const carried = new Carried(objects, P0);
    await carried.open(this.term.core.state.journalId);
    const bytes = new Payloads((seq) => journal.read(seq), contentFields(KINDS), carried);
    const all = new Map<string, string>();
    for (const { id, status, payload: { seq, index } } of this.statuses()) {
      if (status !== 'completed') all.set(id, Buffer.from(await bytes.load(seq, index)).toString());
    }
    return all;
  }

  statuses() {
    return [...this.term.core.read(jobKind).all()].map(({ id, status, payload }) => ({ id, status, payload }));
  }
}
