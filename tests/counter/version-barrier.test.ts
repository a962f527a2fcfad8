/** Old and new brokers share a journal until the first event that the old ones cannot read; they halt before it. */
import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import pino from 'pino';
import t from 'tap';
import { message, type Reply, type ReplyReceiver } from '../../actors/reply.js';
import type { Kind } from '../../actors/kind.js';
import type { Step } from '../../actors/step.js';
import { PartitionCore } from '../../partition/core/core.js';
import { placesOf, restore, viewOf } from '../../partition/core/state.js';
import { PartitionHost } from '../../partition/leader/host.js';
import { RepriseError } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import { journal } from '../../protocols/messages.js';
import { BASE_READER, Chain, READER } from '../../streams/chain.js';
import { decodeCommit } from '../../streams/contents.js';
import { MemoryStream, type Fault } from '../../streams/memory.js';
import { differencesOf } from '../deciding/differences.js';
import { KEYRING, salts } from '../play.js';
import { counterKind, type CounterRole } from './counter.js';
import { counterSince, KINDS_WITH_NEWER, newerKind, startSilent } from './newer.js';

const P0 = 0 as Partition;
const RELEASE = '9.8.7';

const newCore = (): PartitionCore =>
  new PartitionCore({ partition: P0, kinds: KINDS_WITH_NEWER, keyring: KEYRING, salts, release: RELEASE });

/** One journal, and the leader that it has now. */
class World {
  readonly stream = new MemoryStream(P0);
  private host = this.hosted();
  private started = 0;

  /** Starts a counter, until that is committed. */
  async start(kind: Kind<CounterRole>): Promise<void> {
    const id = `c${(this.started += 1)}`;
    for (let reply: Reply | undefined; !reply?.message; ) {
      reply = await this.decide((step) => {
        step.makeRoom();
        startSilent(step, kind, id);
      });
    }
  }

  async changeLeader(): Promise<void> {
    await this.host.stop();
    this.host = this.hosted();
    await this.host.ready;
  }

  stop(): Promise<void> {
    return this.host.stop();
  }

  get commits(): Uint8Array[] {
    return [...this.stream.messages.values()];
  }

  /** Of each commit what it needs, and the types of its events; those of the newer kind have a star. */
  get story(): [number, ...string[]][] {
    return this.commits.map((bytes) => {
      const { minReader, events } = decodeCommit(bytes);
      return [minReader, ...events.map(({ kind, type }) => `${type}${kind === 'newer' ? '*' : ''}`)];
    });
  }

  private async decide(decide: (step: Step) => void): Promise<Reply> {
    while (!this.host.leader) await new Promise((resolve) => setTimeout(resolve, 1));
    return new Promise((resolve) => {
      const replyTo: ReplyReceiver = { replyTo: 'replyTo', reply: resolve };
      this.host.leader!.decide(replyTo, (step) => {
        decide(step);
        step.answer(replyTo, () => message({}), undefined);
      });
    });
  }

  private hosted(): PartitionHost {
    const leadership = {
      tryAcquire: async () => true, renew: async () => true, release: async () => {}, validForMs: () => 1_000,
    };
    const host = new PartitionHost({
      partition: P0, kinds: KINDS_WITH_NEWER, deliverables: new Map(), broker: 'test', keyring: KEYRING,
      maxCommitBytes: 500_000, release: RELEASE, log: pino({ level: 'silent' }), followers: [], leadership,
      clock: { nowMs: () => Date.now(), monoMs: () => performance.now(), draw: () => 0 },
      deliver: () => Promise.reject(new Error('nothing is delivered here')),
      archive: () => ({ find: async () => undefined }), openJournal: () => this.stream.open(),
      knownHeads: async () => [], onHead: () => {}, onLeading: () => {}, onFollowing: () => {},
    });
    host.start();
    return host;
  }
}

/** How far a reader comes, and why no further. */
function read(commits: readonly Uint8Array[], reader: number): { commits: number; error?: RepriseError } {
  const chain = new Chain(P0, undefined, reader);
  for (const [nth, bytes] of commits.entries()) {
    try {
      chain.accept({ seq: nth + 1, bytes });
    } catch (error) {
      return { commits: nth, error: error as RepriseError };
    }
  }
  return { commits: commits.length };
}

t.test('given no new event, when leaders of this version take turns, then an older reader reads all', async (t) => {
  const world = new World();
  await world.start(counterKind);
  await world.changeLeader();
  await world.start(counterKind);
  await world.stop();
  const turn = [[2, 'LeaderStarted'], [2, 'CounterStarted']];
  t.strictSame(world.story, [...turn, ...turn]);
  t.strictSame(read(world.commits, BASE_READER), { commits: 4 });
});

t.test('given the first new event, then one barrier is before it, and every later commit needs it', async (t) => {
  const world = new World();
  await world.start(counterKind);
  await world.start(newerKind);
  await world.start(newerKind);
  await world.changeLeader();
  await world.start(newerKind);
  await world.start(counterKind);
  await world.stop();
  t.strictSame(world.story, [
    [2, 'LeaderStarted'], [2, 'CounterStarted'],
    [3, 'VersionBarrier', 'CounterStarted*'], [3, 'CounterStarted*'],
    [3, 'LeaderStarted'], [3, 'CounterStarted*'], [3, 'CounterStarted'],
  ]);
  const [barrier] = decodeCommit(world.commits[2]!).events;
  const { body, ...rest } = barrier!;
  t.match(rest, { kind: 'partition', id: '0', version: 1, cause: { type: 'StartCounter', by: 'test' } });
  t.same(journal.VersionBarrier.decode(body!), { reader: 3, release: RELEASE });
  t.equal(decodeCommit(world.commits[4]!).version, 1, 'where a reader of the first version halts as well');
  t.strictSame(read(world.commits, READER), { commits: 7 });

  const { commits, error } = read(world.commits, BASE_READER);
  t.equal(commits, 2, 'an older reader reads up to the barrier');
  t.match(error, {
    code: 'JOURNAL_TOO_NEW', cause: { position: 3 },
    message: 'The commit at 3 of partition 0 needs a reader of version 3; this one is 2. '
      + 'Release 9.8.7 wrote it: upgrade all brokers to that release or a later one.',
  });
  const { journalId, prevSeq, prevHash, epoch, nowMs } = decodeCommit(world.commits[4]!);
  const before = { journalId, partition: P0, seq: prevSeq, hash: prevHash, epoch, nowMs, minReader: 0 };
  const behind = new Chain(P0, before, BASE_READER);
  const named = { code: 'JOURNAL_TOO_NEW', message: /this one is 2\. A newer release wrote it: upgrade all brokers/ };
  t.throws(() => behind.accept({ seq: 5, bytes: world.commits[4]! }), named, 'one that begins behind it halts too');
});

t.test('given a barrier that is lost with its commit, then the next new event has one', async (t) => {
  const faults: Fault[] = ['message lost', 'refused', 'cut before', 'ack lost', 'cut after'];
  for (const fault of faults) {
    const world = new World();
    await world.start(counterKind);
    world.stream.fault(fault);
    await world.start(newerKind);
    await world.stop();
    t.strictSame(world.story.filter((commit) => !commit.includes('LeaderStarted')), [
      [2, 'CounterStarted'], [3, 'VersionBarrier', 'CounterStarted*'],
    ], fault);
    t.strictSame(read(world.commits, READER), { commits: world.commits.length });
  }
});

t.test('property: an older reader reads exactly up to the barrier, whatever is written in which order', async () => {
  const act = fc.constantFrom('old' as const, 'old' as const, 'new' as const, 'change leader' as const, 'cut' as const);
  await fc.assert(fc.asyncProperty(fc.array(act, { maxLength: 14 }), async (script) => {
    const world = new World();
    for (const each of script) {
      if (each === 'change leader') await world.changeLeader();
      else if (each === 'cut') world.stream.fault('cut before');
      else await world.start(each === 'new' ? newerKind : counterKind);
    }
    await world.stop();
    const { story, commits } = world;
    const barriers = story.flatMap((commit, nth) => (commit.includes('VersionBarrier') ? [nth] : []));
    deepStrictEqual(barriers.length, script.includes('new') ? 1 : 0);
    const [upTo = story.length] = barriers;
    deepStrictEqual(read(commits, BASE_READER).commits, upTo);
    deepStrictEqual(story.map(([needed]) => needed), story.map((_, nth) => (nth < upTo ? BASE_READER : READER)));
    const first = story.findIndex((commit) => commit.includes('CounterStarted*'));
    deepStrictEqual(first, barriers[0] ?? -1, 'nothing new is before it, and it is not there in vain');
    deepStrictEqual(read(commits, READER), { commits: commits.length });
    deepStrictEqual(differencesOf(commits, newCore().state), [], 'decided again, past the events of the partition');
  }), { numRuns: 40 });
});

t.test('the state has the last barrier, and the view only where there is one', async (t) => {
  const core = newCore();
  const at = { nowMs: 1_700_000_000_000, monoMs: 0, draw: 0.5 };
  core.step(at, (step) => {
    step.makeRoom();
    startSilent(step, counterKind, 'old');
  });
  t.notOk('versionBarrier' in viewOf(core.state));
  core.step(at, (step) => {
    step.makeRoom();
    startSilent(step, newerKind, 'new');
  });
  t.match(viewOf(core.state), { versionBarrier: { reader: READER, release: RELEASE } });
  const restored = newCore();
  restore(restored.state, JSON.parse(JSON.stringify(viewOf(core.state))), placesOf(core.state));
  t.strictSame(viewOf(restored.state), viewOf(core.state));
});

t.test('room for a barrier is made with that for events, until it is written', async (t) => {
  const core = newCore();
  const at = { nowMs: 1_700_000_000_000, monoMs: 0, draw: 0.5 };
  const start = (kind: Kind<CounterRole>, many: number, name: string): void => core.step(at, (step) => {
    step.makeRoom(0, many);
    for (let nth = 0; nth < many; nth += 1) startSilent(step, kind, `${name}${nth}`);
  });
  const sizes = (): number[] => {
    const found: number[] = [];
    for (let batch = core.take(); batch; batch = core.take()) if (batch.events.length) found.push(batch.events.length);
    return found;
  };
  for (let nth = 0; nth < 33; nth += 1) start(counterKind, 15, `old${nth}-`);
  start(newerKind, 5, 'first');
  t.strictSame(sizes(), [495, 6], 'five more and a barrier have no room in the same commit');
  for (let nth = 0; nth < 33; nth += 1) start(counterKind, 15, `more${nth}-`);
  start(newerKind, 5, 'second');
  t.strictSame(sizes(), [LIMITS.commitEvents], 'afterwards nothing is kept for it');
  t.notOk(core.overloaded);
});

t.test('an event that this version itself could not read is a broken invariant', (t) => {
  const kinds = [{ kind: counterSince(READER + 1) }];
  t.throws(() => new PartitionCore({ partition: P0, kinds, keyring: KEYRING, salts }), /needs a reader of version 4/);
  t.end();
});
