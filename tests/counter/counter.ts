/**
 * A kind of actor that exists in tests alone: a counter. It rings at an interval, a given number of times, and submits
 * a job in a partition each time. With a slice it rings several times in one turn; `rung` is its cursor. It is hosted
 * by the cast list, and the core has nothing of it.
 */
import type protobuf from 'protobufjs/minimal.js';
import { setup } from 'xstate';
import type { CastMember } from '../../actors/cast.js';
import { readChart } from '../../actors/chart.js';
import type { Actor, BodyMessage, EventTable, Kind, Role, Store } from '../../actors/kind.js';
import { decidedAgain, type Again, type Recorded } from '../../actors/recorded.js';
import type { ReplyTo, Reply } from '../../actors/reply.js';
import { message } from '../../actors/reply.js';
import type { Cause, Step } from '../../actors/step.js';
import type { Partition } from '../../protocols/ids.js';

export interface Counter extends Actor {
  status: 'counting' | 'ended';
  readonly to: Partition;
  readonly everyMs: number;
  readonly times: number;
  /** How many times it rings in one turn. */
  readonly slice: number;
  rung: number;
  dueMs: number;
  /** Of the commands that it sent. */
  accepted: number;
  refused: string[];
}

interface Counting {
  readonly status: 'counting';
}

interface Bodies {
  CounterStarted: Counting & Pick<Counter, 'to' | 'everyMs' | 'times' | 'slice'>;
  CounterRang: Counting & { readonly times: number; readonly dueMs: number };
  CounterAnswered: Counting & { readonly code: string };
  CounterEnded: { readonly status: 'ended' };
}
export type CounterEvent = { [T in keyof Bodies]: { readonly type: T; readonly body: Bodies[T] } }[keyof Bodies];

/** A body as JSON in a field of text: this kind has no .proto file. */
const json: BodyMessage = {
  encode: (body, writer) => writer!.uint32(10).string(JSON.stringify(body)),
  decode: (reader: protobuf.Reader) => {
    reader.uint32();
    return JSON.parse(reader.string()) as object;
  },
};

const COUNTER_EVENTS: EventTable<CounterEvent> = {
  CounterStarted: { version: 1, message: json },
  CounterRang: { version: 1, message: json },
  CounterAnswered: { version: 1, message: json },
  CounterEnded: { version: 1, message: json },
};

const machine = setup({ types: { events: {} as { type: CounterEvent['type'] } } }).createMachine({
  id: 'counter',
  initial: 'absent',
  states: {
    absent: { on: { CounterStarted: 'counting' } },
    counting: { on: { CounterRang: 'counting', CounterAnswered: 'counting', CounterEnded: 'ended' } },
    ended: { type: 'final' },
  },
});

export class Counters implements Store<Counter> {
  private byId = new Map<string, Counter>();

  get(id: string): Counter | undefined {
    return this.byId.get(id);
  }

  all(): Iterable<Counter> {
    return this.byId.values();
  }

  leave(): void {}

  owns(counter: Readonly<Counter>): boolean {
    return this.byId.get(counter.id) === counter;
  }

  enter(counter: Counter): Counter {
    this.byId.set(counter.id, counter);
    return counter;
  }

  remove({ id }: Counter): undefined {
    this.byId.delete(id);
  }

  begin(): void {}

  view(): object {
    return { counters: structuredClone([...this.byId.values()]) };
  }

  restore({ counters }: { counters: Counter[] }): void {
    this.byId = new Map(structuredClone(counters).map((counter) => [counter.id, counter]));
  }
}

export interface CounterRole extends Role {
  readonly actor: Counter;
  readonly event: CounterEvent;
  readonly store: Counters;
  readonly reading: Pick<Counters, 'get'>;
  readonly live: object;
}

type Plan = Pick<Counter, 'to' | 'everyMs' | 'times' | 'slice'>;
const decideStart = ({ to, everyMs, times, slice }: Plan): CounterEvent =>
  ({ type: 'CounterStarted', body: { status: 'counting', to, everyMs, times, slice } });

/** How often it rings in one turn. */
const ringsOf = ({ slice, times, rung }: Readonly<Counter>): number => Math.min(slice, times - rung);

function decideRing(counter: Readonly<Counter>, nowMs: number): CounterEvent {
  const { rung, times, everyMs, dueMs } = counter;
  const rings = ringsOf(counter);
  const next = rung + rings < times ? Math.max(nowMs, dueMs + everyMs) : 0;
  return { type: 'CounterRang', body: { status: 'counting', times: rings, dueMs: next } };
}

const decideAnswered = (code: string): CounterEvent =>
  ({ type: 'CounterAnswered', body: { status: 'counting', code } });

function decideEnd({ accepted, refused, times }: Readonly<Counter>): CounterEvent | undefined {
  return accepted + refused.length < times ? undefined : { type: 'CounterEnded', body: { status: 'ended' } };
}

function again(counter: Readonly<Counter> | undefined, { event, nowMs }: Recorded<CounterEvent>): Again<CounterEvent> {
  switch (event.type) {
    case 'CounterStarted': return decidedAgain(decideStart(event.body));
    case 'CounterRang': return decidedAgain(counter && decideRing(counter, nowMs));
    case 'CounterAnswered': return decidedAgain(decideAnswered(event.body.code));
    case 'CounterEnded': return decidedAgain(counter && decideEnd(counter));
    default: return event satisfies never;
  }
}

export const counterKind: Kind<CounterRole> = {
  name: 'counter',
  chart: readChart(machine),
  events: COUNTER_EVENTS,
  open: () => new Counters(),
  apply: (counter, event, id, { nowMs }) => {
    if (event.type === 'CounterStarted') {
      const { status, to, everyMs, times, slice } = event.body;
      return { id, status, to, everyMs, times, slice, rung: 0, dueMs: nowMs + everyMs, accepted: 0, refused: [] };
    }
    const changed = counter!;
    changed.status = event.body.status;
    if (event.type === 'CounterRang') {
      changed.rung += event.body.times;
      changed.dueMs = event.body.dueMs;
    } else if (event.type === 'CounterEnded') changed.dueMs = 0;
    else if (event.body.code === '') changed.accepted += 1;
    else changed.refused.push(event.body.code);
    return changed;
  },
  decideAgain: again,
  dueMs: ({ dueMs }) => dueMs,
};

const cause = (type: string): Cause => ({ commandId: '', type, by: 'test' });
const TIMER = cause('Timer');

/** While so many commands are not answered, a counter waits. */
export const MOST_UNDER_WAY = 500;
const BODY_BYTES = 1_024;

/** The command that a counter sends when it rings for the nth time. */
type BodyOf = (id: string, nth: number, to: Partition) => Uint8Array;

export const counters = (bodyOf: BodyOf): CastMember<CounterRole> => ({
  kind: counterKind,
  due(step, counter) {
    const { id, to, rung } = counter;
    if (step.underWay(to) >= MOST_UNDER_WAY) return;
    const rings = ringsOf(counter);
    step.makeRoom(rings * BODY_BYTES, rings + 1);
    for (let nth = rung + 1; nth <= rung + rings; nth += 1) {
      step.send({ to, command: 'job.submit', body: bodyOf(id, nth, to) }, { kind: 'counter', id }, TIMER);
    }
    step.emit(counterKind, id, decideRing(counter, step.nowMs), TIMER);
  },
  answered(step, { id, refusal }) {
    const counter = step.emit(counterKind, id, decideAnswered(refusal?.code ?? ''), cause('Deliver'));
    const ended = decideEnd(counter);
    if (ended) step.emit(counterKind, id, ended, cause('Deliver'));
  },
});

type Start = Pick<Counter, 'to' | 'everyMs' | 'times'> & Partial<Pick<Counter, 'slice'>>;

export function startCounter(step: Step, id: string, of: Start, to?: ReplyTo): void {
  step.makeRoom();
  step.emit(counterKind, id, decideStart({ slice: 1, ...of }), cause('StartCounter'));
  if (to) step.answer(to, (): Reply => message({}), undefined);
}
