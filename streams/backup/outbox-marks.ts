/**
 * Which commits of one partition depend on which of another: commands between partitions, as their journals record
 * them. Prefixes of journals are consistent if what one received the other has sent, what one has recorded as answered
 * the other has received, and the answers that one has dropped the other has recorded. A namespace that is restored to
 * prefixes that are not would never deliver these commands again: sequences count on from a number that the other side
 * does not know.
 */
import { decodeLeniently } from '../../protocols/lenient.js';
import { journal, outbox } from '../../protocols/messages.js';
import type { Partition } from '../../protocols/ids.js';
import type { Stored } from '../journal.js';

/** By the number of the other partition. */
export interface OutboxCounts {
  readonly sent: Readonly<Record<string, number>>;
  readonly answered: Readonly<Record<string, number>>;
  readonly received: Readonly<Record<string, number>>;
}

export const NO_COUNTS: OutboxCounts = { sent: {}, answered: {}, received: {} };

/** A number that only rises, with the positions at which it did. */
class Rising {
  private readonly numbers: number[] = [];
  private readonly seqs: number[] = [];

  /** @param base before the first position */
  constructor(private readonly base: number) {}

  add(number: number, seq: number): void {
    if (number <= (this.numbers.at(-1) ?? this.base)) return;
    this.numbers.push(number);
    this.seqs.push(seq);
  }

  /** The number up to a position. */
  at(seq: number): number {
    const nth = after(this.seqs, seq);
    return nth === 0 ? this.base : this.numbers[nth - 1]!;
  }

  /** The position at which a number is reached: 0 if before the first, Infinity if not yet. */
  reaches(number: number): number {
    return number <= this.base ? 0 : (this.seqs[after(this.numbers, number - 1)] ?? Infinity);
  }
}

/** How many elements of a sorted list are at most that. */
function after(sorted: readonly number[], most: number): number {
  let [low, high] = [0, sorted.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! <= most) low = middle + 1;
    else high = middle;
  }
  return low;
}

type Table = Map<number, Rising>;

/** Most commits have no event of an outbox. Their names are looked for in the bytes, which costs less than decoding. */
const NAMES = ['CommandSent', 'CommandReceived', 'CommandsAnswered'];

export class OutboxMarks {
  readonly sent: Table;
  readonly answered: Table;
  /** By origin, only what came from its current journal. */
  readonly received: Table;
  /** Answers that were dropped here, because the origin has recorded them. */
  readonly settled: Table = new Map();
  private lastSeq: number;

  /**
   * @param journalIds by partition, of the journals as they are now
   * @param counts at `afterSeq`, where the first commit follows
   */
  constructor(
    readonly partition: Partition,
    private readonly journalIds: readonly (string | undefined)[],
    private readonly counts: OutboxCounts = NO_COUNTS,
    afterSeq = 0,
  ) {
    this.lastSeq = afterSeq;
    this.sent = tableOf(counts.sent);
    this.answered = tableOf(counts.answered);
    this.received = tableOf(counts.received);
  }

  /** In order; a commit that was added before is ignored. */
  add({ seq, bytes }: Stored): void {
    if (seq <= this.lastSeq) return;
    this.lastSeq = seq;
    const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (!NAMES.some((name) => buffer.includes(name, 0, 'latin1'))) return;
    for (const { kind, type, body } of decodeLeniently(journal.Commit, buffer).events) {
      if (kind === 'partition') this.event(type ?? '', body ?? NONE, seq);
    }
  }

  countsAt(seq: number): OutboxCounts {
    const at = (table: Table): Record<string, number> =>
      Object.fromEntries([...table].map(([other, rising]) => [String(other), rising.at(seq)]));
    return { sent: at(this.sent), answered: at(this.answered), received: at(this.received) };
  }

  private event(type: string, body: Uint8Array, seq: number): void {
    if (type === 'CommandSent') {
      const { to, seq: number } = decodeLeniently(outbox.CommandSent, body);
      of(this.sent, to, this.counts.sent).add(number, seq);
    } else if (type === 'CommandReceived') {
      const { origin, from, seq: number, settledSeq } = decodeLeniently(outbox.CommandReceived, body);
      // A journal that was made anew counts from one again, and knows nothing of what the one before sent.
      if (origin !== this.journalIds[from]) return;
      of(this.received, from, this.counts.received).add(number, seq);
      of(this.settled, from, {}).add(settledSeq, seq);
    } else if (type === 'CommandsAnswered') {
      const { to, upToSeq } = decodeLeniently(outbox.CommandsAnswered, body);
      of(this.answered, to, this.counts.answered).add(upToSeq, seq);
    }
  }
}

const NONE = new Uint8Array(0);

const tableOf = (counts: Readonly<Record<string, number>>): Table =>
  new Map(Object.entries(counts).map(([other, count]) => [Number(other), new Rising(count)]));

export function of(table: Table, other: number, counts: Readonly<Record<string, number>>): Rising {
  let rising = table.get(other);
  if (rising === undefined) table.set(other, (rising = new Rising(counts[String(other)] ?? 0)));
  return rising;
}
