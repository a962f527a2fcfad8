/**
 * A kind of actor that exists in tests alone: a counter. It rings every so often, as many times as it was told, and each
 * time submits a job in the partition of its choice. It is hosted by the cast list, with nothing of it in the core.
 */
import type protobuf from 'protobufjs/minimal.js';
import { setup } from 'xstate';
import type { CastMember } from '../../actors/cast.js';
import { readChart } from '../../actors/chart.js';
import type { Actor, BodyMessage, EventTable, Kind, Role, Store } from '../../actors/kind.js';
import type { ReplyTo, Reply } from '../../actors/reply.js';
import { message } from '../../actors/reply.js';
import type { Step } from '../../actors/step.js';
import type { Partition } from '../../protocols/ids.js';

export interface Counter extends Actor {
  status: 'counting' | 'ended';
  readonly to: Partition;
  readonly everyMs: number;
  readonly times: number;
  rung: number;
  dueMs: number;
  /** Of the commands that it sent. */
  accepted: number;
  refused: string[];
}

interface Bodies {
  CounterStarted: { readonly status: 'counting'; readonly to: Partition; readonly everyMs: number; readonly times: number };
  CounterRang: { readonly status: 'counting'; readonly dueMs: number };
  CounterAnswered: { readonly status: 'counting'; readonly code: string };
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

  enter(counter: Counter): void {
    this.byId.set(counter.id, counter);
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

export const counterKind: Kind<CounterRole> = {
  name: 'counter',
  chart: readChart(machine),
  events: COUNTER_EVENTS,
  open: () => new Counters(),
  apply: (counter, event, id, { nowMs }) => {
    if (event.type === 'CounterStarted') {
      const { status, to, everyMs, times } = event.body;
      return { id, status, to, everyMs, times, rung: 0, dueMs: nowMs + everyMs, accepted: 0, refused: [] };
    }
    const changed = counter!;
    changed.status = event.body.status;
    if (event.type === 'CounterRang') Object.assign(changed, { rung: changed.rung + 1, dueMs: event.body.dueMs });
    else if (event.type === 'CounterEnded') changed.dueMs = 0;
    else if (event.body.code === '') changed.accepted += 1;
    else changed.refused.push(event.body.code);
    return changed;
  },
  dueMs: ({ dueMs }) => dueMs,
};

const cause = (type: string): { commandId: string; type: string; by: string } => ({ commandId: '', type, by: 'test' });

/** @param bodyOf the command that a counter sends when it rings for the nth time */
export const counters = (bodyOf: (id: string, nth: number) => Uint8Array): CastMember<CounterRole> => ({
  kind: counterKind,
  due(step, { id, to, rung, times, everyMs, dueMs }) {
    step.makeRoom();
    step.send({ to, command: 'job.submit', body: bodyOf(id, rung + 1) }, { kind: 'counter', id }, cause('Timer'));
    const next = rung + 1 < times ? Math.max(step.nowMs, dueMs + everyMs) : 0;
    step.emit(counterKind, id, { type: 'CounterRang', body: { status: 'counting', dueMs: next } }, cause('Timer'));
  },
  answered(step, { id, refusal }) {
    const { times } = step.read(counterKind).get(id)!;
    const body = { status: 'counting', code: refusal?.code ?? '' } as const;
    const { accepted, refused } = step.emit(counterKind, id, { type: 'CounterAnswered', body }, cause('Deliver'));
    if (accepted + refused.length < times) return;
    step.emit(counterKind, id, { type: 'CounterEnded', body: { status: 'ended' } }, cause('Deliver'));
  },
});

export function startCounter(step: Step, id: string, of: Pick<Counter, 'to' | 'everyMs' | 'times'>, to?: ReplyTo): void {
  step.makeRoom();
  step.emit(counterKind, id, { type: 'CounterStarted', body: { status: 'counting', ...of } }, cause('StartCounter'));
  if (to) step.answer(to, (): Reply => message({}), undefined);
}
