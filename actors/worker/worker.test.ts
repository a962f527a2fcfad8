import t from 'tap';
import { transition } from 'xstate';
import type { Session, WorkerId } from '../../protocols/ids.js';
import { decodeEvent } from '../kind.js';
import {
  applyWorker, decideCordon, decideDrain, decideGone, decideRegister, decideRetire, decideUncordon, WORKER_EVENTS,
  workerChart, workerMachine, type Worker, type WorkerEvent,
} from './worker.js';

const ID = 'w1' as WorkerId;
const SESSION = 's1' as Session;
const REGISTER = {
  workerId: ID, session: SESSION, types: ['square'], queues: [], capacity: 5, software: 'test', capabilities: '', weights: {},
};
const given = (...events: WorkerEvent[]): Worker =>
  events.reduce<Worker | undefined>((worker, event) => applyWorker(worker, { ...event, id: ID, nowMs: 1 }), undefined)!;
const registered = (): Worker => given(decideRegister(undefined, REGISTER)!);
const draining = (): Worker => given(decideRegister(undefined, REGISTER)!, decideDrain(registered(), SESSION, false)!);

const ORDER = { by: 'anna', reason: 'hot' };
const cordoned = (worker: Worker | undefined): Worker =>
  applyWorker(worker, { ...decideCordon(worker, ORDER)!, id: ID, nowMs: 1 });

t.test('a cordon stays until it is lifted, and what an operator drains stays so for its session', (t) => {
  const cordon = { by: 'anna', sinceMs: 1, reason: 'hot' };
  for (const event of [decideRegister(undefined, REGISTER)!, decideGone(registered(), 'silent')]) {
    t.match(applyWorker(cordoned(registered()), { ...event, id: ID, nowMs: 9 }), { cordoned: cordon }, event.type);
  }
  t.equal(decideCordon(cordoned(registered()), { by: 'ben', reason: '' }), undefined, 'the first reason stays');
  t.equal(decideUncordon(registered(), ORDER), undefined);
  const retired = applyWorker(registered(), { ...decideRetire(registered(), ORDER)!, id: ID, nowMs: 1 });
  t.equal(decideRegister(retired, REGISTER), undefined);
  t.equal(decideRegister(retired, { ...REGISTER, session: 's2' as Session })?.type, 'WorkerRegistered', 'a new life');
  t.equal(decideRetire(cordoned(undefined), ORDER), undefined, 'nothing to drain');
  t.end();
});

t.test('a worker that registers again is recorded only if something changed', (t) => {
  t.equal(decideRegister(registered(), REGISTER), undefined);
  t.equal(decideRegister(registered(), { ...REGISTER, types: ['cube'] })?.type, 'WorkerRegistered');
  t.equal(decideRegister(draining(), REGISTER)?.type, 'WorkerRegistered', 'coming back from draining is a change');
  t.equal(decideDrain(registered(), 's2' as Session, false), undefined, 'an older session drains no worker');
  t.end();
});

t.test('the Map and the machine agree, some decision takes every arrow, and every event survives its message', (t) => {
  const pairs: [Worker | undefined, WorkerEvent][] = [
    [undefined, decideRegister(undefined, REGISTER)!],
    [registered(), decideRegister(registered(), { ...REGISTER, capacity: 9 })!],
    [registered(), decideDrain(registered(), SESSION, false)!],
    [registered(), decideGone(registered(), 'silent')],
    [draining(), decideRegister(draining(), REGISTER)!],
    [draining(), decideDrain(draining(), SESSION, true)!],
    [registered(), decideRetire(registered(), ORDER)!],
    [draining(), decideRetire(draining(), ORDER)!],
    [undefined, decideCordon(undefined, ORDER)!],
    [registered(), decideCordon(registered(), ORDER)!],
    [draining(), decideCordon(draining(), ORDER)!],
    [cordoned(registered()), decideUncordon(cordoned(registered()), ORDER)!],
    [cordoned(draining()), decideUncordon(cordoned(draining()), ORDER)!],
    [cordoned(undefined), decideUncordon(cordoned(undefined), ORDER)!],
    [cordoned(undefined), decideRegister(cordoned(undefined), REGISTER)!],
  ];
  for (const [worker, event] of pairs) {
    const from = worker?.status ?? 'absent';
    const value = workerMachine.resolveState({ value: from, context: { worker } });
    const [next] = transition(workerMachine, value, { ...event, id: ID, nowMs: 2 } as never);
    t.equal(next.value, event.body.status);
    t.equal(workerChart.next(from, event.type), event.body.status);
    const applied = applyWorker(worker && { ...worker }, { ...event, content: undefined, id: ID, nowMs: 2 });
    const body = WORKER_EVENTS[event.type].message.encode(event.body).finish();
    const decoded = decodeEvent<WorkerEvent>(WORKER_EVENTS, { type: event.type, version: 1, body }, 'here');
    t.same(applyWorker(worker && { ...worker }, { ...decoded, content: undefined, id: ID, nowMs: 2 }), applied);
  }
  const taken = new Set(pairs.map(([worker, event]) => `${worker?.status ?? 'absent'} ${event.type}`));
  t.same(workerChart.arrows.map((arrow) => `${arrow.from} ${arrow.event}`).filter((arrow) => !taken.has(arrow)), []);
  t.end();
});
