/** Consistent cuts of journals between which commands go: found again by trying all. */
import fc from 'fast-check';
import t from 'tap';
import type { Partition } from '../../protocols/ids.js';
import { journal, outbox } from '../../protocols/messages.js';
import { closed, consistentWithin, type Cut } from './consistent.js';
import { OutboxMarks } from './outbox-marks.js';

const PARTITIONS = 3;
const IDS = ['aaaaaaaaaaaaaaaa', 'bbbbbbbbbbbbbbbb', 'cccccccccccccccc'];

/** What happens next: somebody sends, a delivery arrives, or a reply does. */
interface Turn {
  readonly what: 'send' | 'deliver' | 'answer' | 'other';
  readonly from: number;
  readonly to: number;
}

type EventOf = { readonly type: string; readonly body: Uint8Array };

/** As the core does it: a delivery names as settled what was answered before its first command. */
function journalsOf(turns: readonly Turn[]): EventOf[][] {
  const journals: EventOf[][] = IDS.map(() => []);
  const [sent, received, answered] = [zeros(), zeros(), zeros()];
  for (const { what, from, to } of turns) {
    if (from === to || what === 'other') journals[from]!.push({ type: 'LeaderStarted', body: new Uint8Array(0) });
    else if (what === 'send') {
      const seq = (sent[from]![to]! += 1);
      journals[from]!.push({ type: 'CommandSent', body: outbox.CommandSent.encode({ to, seq }).finish() });
    } else if (what === 'deliver' && received[to]![from]! < sent[from]![to]!) {
      const seq = (received[to]![from]! += 1);
      const body = { origin: IDS[from]!, from, seq, settledSeq: answered[from]![to]! };
      journals[to]!.push({ type: 'CommandReceived', body: outbox.CommandReceived.encode(body).finish() });
    } else if (what === 'answer' && answered[from]![to]! < received[to]![from]!) {
      const upToSeq = (answered[from]![to] = received[to]![from]!);
      journals[from]!.push({ type: 'CommandsAnswered', body: outbox.CommandsAnswered.encode({ to, upToSeq }).finish() });
    }
  }
  return journals;
}

const zeros = (): number[][] => IDS.map(() => IDS.map(() => 0));

function marksOf(journals: readonly (readonly EventOf[])[], upTo: Cut = journals.map(({ length }) => length)) {
  return journals.map((events, n) => {
    const marks = new OutboxMarks(n as Partition, IDS);
    for (const [nth, { type, body }] of events.slice(0, upTo[n]).entries()) {
      const event = { kind: 'partition', id: String(n), type, version: 1, body };
      marks.add({ seq: nth + 1, bytes: journal.Commit.encode({ version: 2, events: [event] }).finish() });
    }
    return marks;
  });
}

/** Said in the plain words of what must hold, over the events themselves. */
function isConsistent(journals: readonly (readonly EventOf[])[], cut: Cut): boolean {
  const most = (n: number, read: (event: EventOf) => number): number =>
    Math.max(0, ...journals[n]!.slice(0, cut[n]).map(read));
  for (let a = 0; a < PARTITIONS; a += 1) {
    for (let b = 0; b < PARTITIONS; b += 1) {
      const sent = most(a, ({ type, body }) => {
        const of = type === 'CommandSent' ? outbox.CommandSent.decode(body) : undefined;
        return of?.to === b ? of.seq : 0;
      });
      const answered = most(a, ({ type, body }) => {
        const of = type === 'CommandsAnswered' ? outbox.CommandsAnswered.decode(body) : undefined;
        return of?.to === b ? of.upToSeq : 0;
      });
      const receipt = (field: 'seq' | 'settledSeq') => most(b, ({ type, body }) => {
        const of = type === 'CommandReceived' ? outbox.CommandReceived.decode(body) : undefined;
        return of?.from === a && of.origin === IDS[a] ? of[field] : 0;
      });
      if (receipt('seq') > sent || receipt('settledSeq') > answered || answered > receipt('seq')) return false;
    }
  }
  return true;
}

function* cutsWithin(most: Cut): Generator<number[]> {
  for (let a = 0; a <= most[0]!; a += 1) {
    for (let b = 0; b <= most[1]!; b += 1) for (let c = 0; c <= most[2]!; c += 1) yield [a, b, c];
  }
}

const sum = (cut: Cut): number => cut.reduce((all, each) => all + each, 0);
const anyTurns = fc.array(fc.record({
  what: fc.constantFrom<Turn['what']>('send', 'send', 'deliver', 'deliver', 'answer', 'answer', 'other'),
  from: fc.nat(PARTITIONS - 1), to: fc.nat(PARTITIONS - 1),
}), { maxLength: 40 });

t.test('property: the largest consistent cut within bounds, and the smallest around them', async () => {
  fc.assert(fc.property(anyTurns, fc.tuple(fc.nat(14), fc.nat(14), fc.nat(14)), (turns, wanted) => {
    const journals = journalsOf(turns);
    const lengths = journals.map(({ length }) => length);
    const bounds = wanted.map((seq, n) => Math.min(seq, lengths[n]!));
    const marks = marksOf(journals);
    const within = consistentWithin(marks, bounds);
    const around = closed(marks, bounds);
    if (around.missing !== undefined || !isConsistent(journals, within) || !isConsistent(journals, around.cut)) {
      return false;
    }
    for (const cut of cutsWithin(bounds)) if (sum(cut) > sum(within) && isConsistent(journals, cut)) return false;
    for (const cut of cutsWithin(around.cut)) {
      const isAround = cut.every((seq, n) => seq >= bounds[n]!);
      if (isAround && sum(cut) < sum(around.cut) && isConsistent(journals, cut)) return false;
    }
    return true;
  }), { numRuns: 300 });
});

t.test('property: with the marks behind a consistent cut and its counts, the same cuts are found', async () => {
  fc.assert(fc.property(anyTurns, fc.tuple(fc.nat(14), fc.nat(14), fc.nat(14)), (turns, wanted) => {
    const journals = journalsOf(turns);
    const bounds = wanted.map((seq, n) => Math.min(seq, journals[n]!.length));
    const all = marksOf(journals);
    const before = consistentWithin(all, bounds);
    const behind = journals.map((events, n) => {
      const marks = new OutboxMarks(n as Partition, IDS, all[n]!.countsAt(before[n]!), before[n]);
      for (const [nth, { type, body }] of events.entries()) {
        const event = { kind: 'partition', id: String(n), type, version: 1, body };
        marks.add({ seq: nth + 1, bytes: journal.Commit.encode({ version: 2, events: [event] }).finish() });
      }
      return marks;
    });
    const from = bounds.map((seq, n) => Math.max(seq, before[n]!));
    return String(closed(behind, from).cut) === String(closed(all, from).cut);
  }), { numRuns: 300 });
});

t.test('what is not read yet is named, so that it can be read', async (t) => {
  const journals = journalsOf([
    { what: 'send', from: 0, to: 1 }, { what: 'deliver', from: 0, to: 1 }, { what: 'answer', from: 0, to: 1 },
  ]);
  const marks = marksOf(journals, [0, 1, 0]);
  const { missing } = closed(marks, [0, 1, 0]);
  t.strictSame(missing, { partition: 0, by: 1, what: 'sent', number: 1 });
  t.strictSame(closed(marks, [0, 1, 0], [missing!]).cut, [0, 1, 0]);
  t.strictSame(consistentWithin(marks, [0, 1, 0]), [0, 0, 0]);
});
