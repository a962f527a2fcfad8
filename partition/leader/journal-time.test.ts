/** Wrong wall clocks, and their effect on the journal's time and on timers. */
import pino from 'pino';
import t, { type Test } from 'tap';
import { COMMANDS } from '../../actors/commands.js';
import { KINDS } from '../../actors/kinds.js';
import type { JobId, Partition } from '../../protocols/ids.js';
import { journal } from '../../protocols/messages.js';
import { MemoryStream } from '../../streams/memory.js';
import { PartitionHost } from './host.js';
import { BELIEVED_AFTER_MS, FOLLOWED_MS, JournalTime } from './journal-time.js';
import { job, Play, KEYRING } from '../../tests/play.js';
import type { ReplyReceiver, Reply } from '../../actors/reply.js';

const P0 = 0 as Partition;
const [HOUR, DAY, YEAR] = [3_600_000, 24 * 3_600_000, 365 * 24 * 3_600_000];
const TRUTH = 1_800_000_000_000;
const ids = new Play();

/** One journal, the true time, and machines whose clocks are wrong by as much as a test says. */
class World {
  readonly stream = new MemoryStream(P0);
  readonly log: string[] = [];
  serverErrorMs = 0;
  private passedMs = 0;
  private looks = 0;

  constructor(private readonly t: Test) {
    this.stream.serverMs = () => TRUTH + this.passedMs + this.serverErrorMs;
  }

  async lead(machine: { errorMs: number }): Promise<PartitionHost> {
    const host = new PartitionHost({
      partition: P0, kinds: KINDS, deliverables: new Map(),
      deliver: () => Promise.reject(new Error('nothing is delivered here')),
      broker: 'test', keyring: KEYRING, maxCommitBytes: 500_000, release: '0.0.0', followers: [],
      log: pino({ level: 'info' }, { write: (line: string) => void this.log.push(line) }),
      clock: { nowMs: () => this.wall(machine), monoMs: () => 5_000 + this.passedMs, draw: () => 0.5 },
      leadership: {
        tryAcquire: async () => true, renew: async () => true, release: async () => {}, validForMs: () => 1_000,
      },
      archive: () => ({ find: async () => undefined }), openJournal: () => this.stream.open(),
      knownHeads: async () => [], onHead: () => {}, onLeading: () => {}, onFollowing: () => {},
    });
    host.start();
    this.t.teardown(() => host.stop());
    await host.ready;
    return host;
  }

  /** Time passes on all machines, and every leader has read its clock since. */
  async pass(ms: number): Promise<void> {
    this.passedMs += ms;
    const { looks } = this;
    for (const end = performance.now() + 5_000; this.looks < looks + 4; ) {
      if (performance.now() > end) throw new Error('no leader reads its clock');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }

  /** Of each commit, in milliseconds since the beginning. */
  times(): number[] {
    return [...this.stream.messages.values()].map((bytes) => journal.Commit.decode(bytes).nowMs - TRUTH);
  }

  get now(): number {
    return this.passedMs;
  }

  private wall({ errorMs }: { errorMs: number }): number {
    this.looks += 1;
    return TRUTH + this.passedMs + errorMs;
  }
}

function ask(host: PartitionHost, command: object): Promise<Reply> {
  return new Promise((resolve) => {
    const to: ReplyReceiver = { replyTo: 'replyTo', reply: resolve };
    const { kind, ...request } = command as { kind: string };
    host.leader!.handle(COMMANDS.find(({ verb }) => verb === kind)!, request, { to, by: 'client' });
  });
}

async function submit(host: PartitionHost, delayMs: number): Promise<JobId> {
  const id = ids.nextId();
  const jobs = [{ id, job: { ...job(), delayMs } }];
  const reply = await ask(host, { kind: 'submit', by: 'client', waitMs: undefined, jobs });
  const message = reply.message as { jobs: [{ error?: object }] } | undefined;
  if (message === undefined || message.jobs[0].error) throw new Error(JSON.stringify(reply));
  return id;
}

async function status(host: PartitionHost, jobId: JobId): Promise<string> {
  const reply = await ask(host, { kind: 'get', target: { jobId } });
  return reply.message ? (reply.message as { status: string }).status : JSON.stringify(reply);
}

t.test('given a clock that leaps a day ahead and back, then nothing comes due early, and nothing is late', async (t) => {
  const world = new World(t);
  const machine = { errorMs: 0 };
  const host = await world.lead(machine);
  const hourly = await submit(host, HOUR);
  machine.errorMs = DAY;
  await world.pass(60_000);
  t.equal(await status(host, hourly), 'scheduled');
  const within = await submit(host, HOUR);
  machine.errorMs = 0;
  await world.pass(HOUR - 60_000);
  t.equal(await status(host, hourly), 'ready');
  t.equal(await status(host, within), 'scheduled');
  await world.pass(60_000);
  t.equal(await status(host, within), 'ready');
  t.strictSame(world.times(), [0, 0, 60_000, HOUR, HOUR + 60_000], 'the journal keeps the true time');
  t.equal(world.log.filter((line) => line.includes('ahead of the time of the journal')).length, 1, 'one alarm');
  t.ok(world.log.some((line) => line.includes('within 10 s of the time of the journal again')));
});

t.test('given a clock that leaps a day back, then time goes on, and commits never go back', async (t) => {
  const world = new World(t);
  const machine = { errorMs: 0 };
  const host = await world.lead(machine);
  const hourly = await submit(host, HOUR);
  machine.errorMs = -DAY;
  await world.pass(HOUR);
  t.equal(await status(host, hourly), 'scheduled', 'one hundredth slower');
  await world.pass(HOUR / 50);
  t.equal(await status(host, hourly), 'ready');
  t.ok(world.log.some((line) => line.includes('behind the time of the journal')));
  const times = world.times();
  t.strictSame(times, [...times].sort((a, b) => a - b));
});

t.test('given a machine a year ahead that takes over, then the journal keeps the time of the server, and so do its successors', async (t) => {
  const world = new World(t);
  const right = await world.lead({ errorMs: 0 });
  const hourly = await submit(right, HOUR);
  await right.stop();
  const wrong = await world.lead({ errorMs: YEAR });
  await world.pass(HOUR / 2);
  t.equal(await status(wrong, hourly), 'scheduled');
  const second = await submit(wrong, HOUR);
  await wrong.stop();
  const again = await world.lead({ errorMs: 0 });
  await world.pass(HOUR / 2);
  t.equal(await status(again, hourly), 'ready');
  t.equal(await status(again, second), 'scheduled');
  t.ok(world.times().every((ms) => ms <= world.now), 'no commit is from the future');
});

t.test('given a server a year ahead, then the clock of the leader counts', async (t) => {
  const world = new World(t);
  world.serverErrorMs = YEAR;
  await world.lead({ errorMs: 0 });
  t.strictSame(world.times(), [0]);
});

t.test('given a machine that is behind and is set right, then the journal follows once the server agrees', async (t) => {
  const world = new World(t);
  const machine = { errorMs: -DAY };
  const host = await world.lead(machine);
  t.strictSame(world.times(), [-DAY]);
  machine.errorMs = 0;
  await world.pass(1_000);
  await world.pass(BELIEVED_AFTER_MS - 1_000);
  await world.pass(1_000);
  await world.pass(0);
  await submit(host, 0);
  t.equal(world.times().at(-1), world.now);
});

t.test('given a machine that is wrong for good, then it is not followed, however long that lasts', async (t) => {
  const world = new World(t);
  const machine = { errorMs: 0 };
  const host = await world.lead(machine);
  machine.errorMs = DAY;
  for (let n = 0; n < 4; n += 1) await world.pass(BELIEVED_AFTER_MS);
  await submit(host, 0);
  t.equal(world.times().at(-1), world.now);
});

t.test('given a journal from the future, then its time goes on from there, and what is due comes due', async (t) => {
  const world = new World(t);
  world.serverErrorMs = YEAR;
  const wrong = await world.lead({ errorMs: YEAR });
  const old = await submit(wrong, HOUR);
  await wrong.stop();
  world.serverErrorMs = 0;
  const right = await world.lead({ errorMs: 0 });
  const fresh = await submit(right, HOUR);
  await world.pass(HOUR / 2);
  t.equal(await status(right, old), 'scheduled', 'nothing rushes');
  await world.pass(HOUR * 0.52);
  t.same([await status(right, old), await status(right, fresh)], ['ready', 'ready'], 'and nothing waits for a year');
});

t.test('time never goes back, whatever the clocks do, and small differences are followed at once', (t) => {
  const time = new JournalTime(1_000_000, 0);
  t.equal(time.read(1_000_000 + FOLLOWED_MS, 0), 1_000_000 + FOLLOWED_MS);
  t.equal(time.read(1_000_000, 1_000), 1_000_990 + FOLLOWED_MS, 'a small step back costs a hundredth');
  const wallMs = (n: number): number => 1_000_000 + ((n * 7_919_113) % 100_000_000) - 50_000_000;
  const reads = Array.from({ length: 2_000 }, (_, n) => time.read(wallMs(n), 2_000 + n));
  t.strictSame(reads, [...reads].sort((a, b) => a - b));
  t.end();
});
