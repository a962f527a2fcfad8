import t from 'tap';
import pino from 'pino';
import { RepriseError } from '../../protocols/errors.js';
import type { Partition } from '../../protocols/ids.js';
import { journal } from '../../protocols/messages.js';
import { Chain, hashOf } from '../../streams/chain.js';
import { MemoryStream, type Fault } from '../../streams/memory.js';
import type { Committed } from '../../streams/committed.js';
import { PartitionHost, type HostOptions } from './host.js';
import { submit as submitCommand } from '../../actors/job/commands/submit.js';
import { KINDS } from '../../actors/kinds.js';
import { job, KEYRING, Play } from '../../tests/play.js';
import type { ReplyReceiver, Reply } from '../../actors/reply.js';

const P0 = 0 as Partition;
const noDelivery = (): Promise<never> => Promise.reject(new Error('nothing is delivered here'));
const ids = new Play();
/** Spread over [0, 1), and never twice the same. */
let drawn = 0;
const draw = (): number => (drawn = (drawn + 0.618034) % 1);

function stage(stream: MemoryStream, over: Partial<HostOptions> = {}): PartitionHost {
  const host = new PartitionHost({
    partition: P0, kinds: KINDS, deliverables: new Map(), deliver: noDelivery, broker: 'test', keyring: KEYRING, maxCommitBytes: 500_000, release: '0.0.0', log: pino({ level: 'silent' }), followers: [],
    clock: { nowMs: () => Date.now(), monoMs: () => performance.now(), draw },
    leadership: { tryAcquire: async () => true, renew: async () => true, release: async () => {}, validForMs: () => 1_000 },
    archive: () => ({ find: async () => undefined }), openJournal: () => stream.open(), knownHeads: async () => [],
    onHead: () => {}, onLeading: () => {}, onFollowing: () => {},
    ...over,
  });
  host.start();
  return host;
}

function ask(host: PartitionHost, commandId: string): Promise<Reply> {
  return new Promise<Reply>((resolve) => {
    const to: ReplyReceiver = { replyTo: 'replyTo', reply: resolve };
    const request = { waitMs: undefined, jobs: [{ id: ids.nextId(), job: { ...job(), commandId } }] };
    if (host.leader) host.leader.handle(submitCommand, request, { to, by: 'client' });
    else resolve({ refused: host.whyNot });
  });
}

/** Sends until the answer is not "send it again", as every client does. */
async function submit(host: PartitionHost, commandId: string): Promise<string[]> {
  const answers: string[] = [];
  for (;;) {
    const reply = await ask(host, commandId);
    if (reply.message) {
      const { jobs: [first] } = reply.message as { jobs: [{ duplicate?: boolean }] };
      return [...answers, first.duplicate ? 'duplicate' : 'recorded'];
    }
    if (answers.at(-1) !== reply.refused.code) answers.push(reply.refused.code);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Commands whose JobSubmitted is in the journal; throws if the chain does not hold. */
function recorded(stream: MemoryStream): string[] {
  const chain = new Chain(P0);
  const found: string[] = [];
  for (const [seq, bytes] of stream.messages) {
    const accepted = chain.accept({ seq, bytes });
    if (accepted.kind !== 'commit') continue;
    for (const event of (accepted.commit as journal.Commit).events) if (event.type === 'JobSubmitted') found.push(event.cause!.commandId!);
  }
  return found;
}

const table: [Fault | 'none', string[]][] = [
  ['none', ['recorded']],
  ['ack duplicated', ['recorded']],
  ['refused', ['NOT_LEADER', 'recorded']],
  ['message lost', ['NOT_LEADER', 'recorded']],
  ['message late', ['NOT_LEADER', 'recorded']],
  ['cut before', ['NOT_LEADER', 'recorded']],
  ['ack lost', ['recorded']],
  ['ack late', ['recorded']],
  ['cut after', ['recorded']],
];

for (const [fault, then] of table) {
  t.test(`given a leader, when the append of a submit meets "${fault}", then the client hears ${then.join(', then ')}, and it is there once`, async (t) => {
    const stream = new MemoryStream(P0);
    const host = stage(stream);
    await host.ready;
    if (fault !== 'none') stream.fault(fault);
    const answers = await submit(host, 'c1');
    stream.arrive();
    t.same([...new Set(answers)], then);
    await submit(host, 'c2');
    t.same(recorded(stream), ['c1', 'c2'], 'one chain, nothing twice, nothing lost');
    await host.stop();
  });
}

t.test('two brokers that both take themselves for the leader write one chain and lose nothing', async (t) => {
  const stream = new MemoryStream(P0);
  const hosts = [stage(stream), stage(stream)];
  await Promise.all(hosts.map((host) => host.ready));
  const commands = Array.from({ length: 40 }, (_, nth) => `c${nth}`);
  const faults: Fault[] = ['ack lost', 'message late', 'cut after', 'refused', 'ack late', 'cut before', 'message lost'];
  await Promise.all(commands.map(async (commandId, nth) => {
    if (nth % 4 === 0) stream.fault(faults[(nth / 4) % faults.length]!);
    await submit(hosts[nth % 2]!, commandId);
    stream.arrive();
  }));
  t.same(recorded(stream).sort(), commands.sort());
  await Promise.all(hosts.map((host) => host.stop()));
});

t.test('given a foreign message in the journal, it is skipped, and the next submit succeeds', async (t) => {
  const stream = new MemoryStream(P0);
  const host = stage(stream);
  await host.ready;
  await submit(host, 'c1');
  stream.write(Buffer.from('not ours'));
  await submit(host, 'c2');
  t.same(recorded(stream), ['c1', 'c2']);
  await host.stop();
});

t.test('given a journal that lacks a witnessed commit, the partition halts and says why', async (t) => {
  const stream = new MemoryStream(P0);
  const first = stage(stream);
  await first.ready;
  await submit(first, 'c1');
  const head = first.leader!.head;
  await first.stop();
  const second = stage(stream, { knownHeads: async () => [{ ...head, seq: head.seq + 5, from: 'the witness' }] });
  while (second.halted === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(second.whyNot.code, 'JOURNAL_REGRESSED');
  t.equal(second.leader, undefined);
  await second.stop();
});

t.test('given a projection that has folded another commit than is written now, the partition halts instead of ending the process', async (t) => {
  const stream = new MemoryStream(P0);
  const folded = { after: { seq: 0, hash: new Uint8Array() }, skipTo: () => {}, follow: ({ seq }: Committed) => {
    if (seq === 3) throw new RepriseError('JOURNAL_REGRESSED', 'another commit 3 was folded');
  } };
  const host = stage(stream, { followers: [folded] });
  await host.ready;
  for (const commandId of ['c1', 'c2']) await ask(host, commandId);
  while (host.halted === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  t.match(host.whyNot, { code: 'JOURNAL_REGRESSED', message: 'another commit 3 was folded' });
  t.equal(host.leader, undefined);
  await host.stop();
});

t.test('given a reply that cannot be made, then its request alone is refused, with a commit and without', async (t) => {
  const host = stage(new MemoryStream(P0));
  await host.ready;
  const askBadly = (): Promise<Reply> => new Promise((reply) => {
    const to: ReplyReceiver = { replyTo: 'replyTo', reply };
    host.leader!.decide(to, (step) => step.answer(to, () => { throw new RangeError('no varint at byte 3'); }, {}));
  });
  const refused = { refused: { code: 'UNKNOWN', message: /no varint at byte 3/ } };
  t.match(await Promise.all([ask(host, 'c1'), askBadly(), ask(host, 'c2')]), [{ message: {} }, refused, { message: {} }]);
  t.match(await askBadly(), refused);
  t.same(await submit(host, 'c3'), ['recorded'], 'and the leader leads');
  await host.stop();
});

t.test('given a journal with commits and a witness that knows none, then the partition is led, with an alarm each time', async (t) => {
  const stream = new MemoryStream(P0);
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line: string) => lines.push(line) });
  for (const known of [[], [{ seq: 1, from: 'the checkpoint of events' }], [{ seq: 1, from: 'the witness' }]]) {
    const host = stage(stream, { log, knownHeads: async () => known.map((each) => ({ ...each, hash: hashOf(stream.messages.get(1)!) })) });
    await host.ready;
    t.ok(host.leader);
    await host.stop();
  }
  t.match(lines.map((line) => JSON.parse(line) as object), [{ known: ['1 by the checkpoint of events'], msg: /the witness knows no head/ }], 'but not for a journal that is new');
});

t.test('given many foreign messages in the journal, then one warning says how many', async (t) => {
  const stream = new MemoryStream(P0);
  for (let n = 0; n < 70; n += 1) stream.write(Buffer.from('not ours'));
  const lines: string[] = [];
  const host = stage(stream, { log: pino({ level: 'warn' }, { write: (line: string) => lines.push(line) }) });
  await host.ready;
  t.match(lines.map((line) => JSON.parse(line) as object), [{ messages: 70, first: 1, last: 70, why: 'it is not a commit' }]);
  await host.stop();
});

t.test('given a journal that is full, then submits are refused with JOURNAL_FULL, and nothing that was recorded is lost', async (t) => {
  const stream = new MemoryStream(P0, { maxBytes: 1_500 });
  const host = stage(stream);
  await host.ready;
  const recordedOnes: string[] = [];
  let refusal = '';
  for (let nth = 0; refusal === ''; nth += 1) {
    const reply = await ask(host, `c${nth}`);
    if (reply.message) recordedOnes.push(`c${nth}`);
    else refusal = reply.refused.code;
  }
  t.equal(refusal, 'JOURNAL_FULL');
  t.same(recorded(stream), recordedOnes);
  while (host.halted === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(host.whyNot.code, 'JOURNAL_FULL', 'and goes on saying so');
  await host.stop();
});

const unanswered = new RepriseError('TIMED_OUT', 'no answer');
const thrown = (): never => {
  throw unanswered;
};
const beginnings: [string, Partial<HostOptions>][] = [
  ['known heads cannot be read', { knownHeads: () => Promise.reject(unanswered) }],
  ['leading cannot begin after the take-over', { archive: thrown }],
];

for (const [what, over] of beginnings) t.test(`given ${what}, then no connection of the journal stays open`, async (t) => {
  const stream = new MemoryStream(P0);
  let [opened, closed] = [0, 0];
  let isThird = (): void => {};
  const third = new Promise<void>((resolve) => (isThird = resolve));
  const host = stage(stream, {
    ...over,
    openJournal: async () => {
      const source = await stream.open();
      opened += 1;
      if (opened === 3) isThird();
      void source.closed.then(() => (closed += 1));
      return source;
    },
  });
  await third;
  await host.stop();
  t.equal(closed, opened);
});

t.test('given a commit in flight that is refused while the host stops, then it stops', async (t) => {
  const stream = new MemoryStream(P0);
  const host = stage(stream);
  await host.ready;
  const sent = new Promise<() => void>((reached) => {
    stream.delay = () => new Promise((resolve) => reached(resolve));
  });
  stream.fault('refused');
  const answered = ask(host, 'in flight');
  const arrive = await sent;
  const stopped = host.stop();
  stream.delay = () => Promise.resolve();
  arrive();
  await stopped;
  t.match(await answered, { refused: { code: 'NOT_LEADER' } });
});
