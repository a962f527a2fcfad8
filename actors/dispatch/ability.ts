/**
 * What workers can do that say the same of themselves, and the lines of jobs that they can take, in their order. Most
 * lines are in one order for all workers, where the first that they can do is found after a few others. Where it is
 * not, they have a heap of their own, which costs more the more others lease from the same lines. Lines of a queue with
 * limits, ageing or shares are in a heap for each queue, because all of them wait, or change their order, at once.
 */
import type { LinesReading } from '../job/lines.js';
import type { ReadonlyLine } from '../job/line.js';
import type { Tried } from '../job/line-order.js';
import type { ReadonlyQueueOrder } from '../job/queue-order.js';
import type { Capabilities } from '../matching/capabilities.js';
import { matches } from '../matching/match.js';
import { requirementOf } from '../matching/requirement.js';
import type { Gate } from './gate.js';
import { LineHeap, type Standing } from './line-heap.js';

export interface Offering {
  readonly types: ReadonlySet<string>;
  /** undefined: all. */
  readonly queues: ReadonlySet<string> | undefined;
  /** Turns of queues; those that are not named have one. undefined: the order of the jobs alone counts. */
  readonly weights: ReadonlyMap<string, number> | undefined;
  readonly capabilities: Capabilities;
}

/** Lines that others can do, which are looked at before the own heap is. */
const MOST_SKIPPED = 32;
/** What the own heap may cost, in entries, before the order of all is tried again. */
const MOST_LOOKED = 64;

export class Ability {
  private plain = new LineHeap();
  private byQueue = new Map<ReadonlyQueueOrder, LineHeap>();
  /** Up to where it has read what improved. */
  private cursor = -1;
  private cursorApart = -1;
  private searchesOwn = false;
  private readonly matched = new Map<string, boolean>();

  constructor(readonly offering: Offering) {}

  /** Whether it can do the jobs of a line. */
  canDo({ type, queue, require }: Pick<ReadonlyLine, 'type' | 'queue' | 'require'>): boolean {
    const { types, queues } = this.offering;
    return types.has(type) && (queues === undefined || queues.has(queue)) && this.meets(require);
  }

  meets(require: string): boolean {
    let met = this.matched.get(require);
    if (met !== undefined) return met;
    if (this.matched.size >= MOST_MATCHED) this.matched.clear();
    met = matches(requirementOf(require), this.offering.capabilities);
    this.matched.set(require, met);
    return met;
  }

  /**
   * The line whose first job is to be leased next; undefined if there is none.
   * @param turnOf how far a queue is ahead of its turns, for a worker with weights
   */
  next(gate: Gate, turnOf?: (queue: string) => number): ReadonlyLine | undefined {
    const { lines } = gate;
    if (this.offering.weights) this.catchUp(lines);
    let best = this.offering.weights ? undefined : this.nextPlain(gate);
    this.catchUpApart(lines);
    for (const [of, heap] of this.byQueue) {
      if (heap.isEmpty) this.byQueue.delete(of);
      else if (gate.isOpen(of)) {
        const line = heap.first(gate.standingOf);
        if (line !== undefined && (best === undefined || goesBefore(line, best, gate.nowMs, turnOf))) best = line;
      }
    }
    return best;
  }

  private nextPlain(gate: Gate): ReadonlyLine | undefined {
    const { lines } = gate;
    if (!this.searchesOwn) {
      const tried = (line: ReadonlyLine): Tried => (gate.isShut(line) ? 'drop' : this.canDo(line) ? 'take' : 'skip');
      const found = lines.find(tried, MOST_SKIPPED);
      if (found !== 'more') return found;
      this.searchesOwn = true;
    }
    const [{ improved }, before] = [lines, this.plain.looked];
    const read = this.cursor < 0 ? 0 : improved.end - this.cursor;
    this.catchUp(lines);
    const line = this.plain.first(gate.standingOf);
    this.searchesOwn = read + this.plain.looked - before <= MOST_LOOKED;
    return line;
  }

  private catchUp({ improved, all }: LinesReading): void {
    if (this.cursor === improved.end) return;
    const news = improved.since(this.cursor);
    this.cursor = improved.end;
    if (news === undefined) {
      this.plain = new LineHeap();
      for (const of of this.byQueue.keys()) if (of.isPlain) this.byQueue.delete(of);
    }
    for (const line of news ?? all) if (line.of.isPlain) this.take(line);
  }

  private catchUpApart({ improvedApart, all }: LinesReading): void {
    if (this.cursorApart === improvedApart.end) return;
    const news = improvedApart.since(this.cursorApart);
    this.cursorApart = improvedApart.end;
    if (news === undefined) {
      const keepsPlain = this.offering.weights !== undefined;
      for (const of of this.byQueue.keys()) if (!of.isPlain || !keepsPlain) this.byQueue.delete(of);
    }
    for (const line of news ?? all) if (!line.of.isPlain) this.take(line);
  }

  private take(line: ReadonlyLine): void {
    if (line.ready > 0 && this.canDo(line)) this.heapOf(line).put(line, UNKNOWN);
  }

  private heapOf({ of }: ReadonlyLine): LineHeap {
    if (of.isPlain && this.offering.weights === undefined) return this.plain;
    let heap = this.byQueue.get(of);
    if (heap === undefined) this.byQueue.set(of, (heap = new LineHeap()));
    return heap;
  }
}

const MOST_MATCHED = 20_000;

/** Before all others, so that it is compared with its line first. */
const UNKNOWN: Standing = { share: -1, rank: Infinity, place: -1 };

/** Of lines of different queues: by turns, if the worker has weights; else by the priority of now, then by place. */
function goesBefore(
  a: ReadonlyLine, b: ReadonlyLine, nowMs: number, turnOf: ((queue: string) => number) | undefined,
): boolean {
  const [first, second] = turnOf ? [turnOf(a.queue), turnOf(b.queue)] : [0, 0];
  if (first !== second) return first < second;
  const [one, other] = [a.firstPriority(nowMs), b.firstPriority(nowMs)];
  return one === other ? a.firstPlace < b.firstPlace : one > other;
}
