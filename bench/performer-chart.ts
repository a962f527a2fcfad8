/**
 * CPU per job of following the performer's chart: four transitions, Leased to Reported.
 * `node dist/bench/performer-chart.js [jobs]` compares an actor per job, an actor per slot, the machine's pure
 * transition, and the look-up that is used.
 */
import { createActor, transition } from 'xstate';
import { performerChart, performerMachine, type PerformerEvent } from '../worker/performer/performer.chart.js';

const EVENTS: readonly PerformerEvent[] = ['Leased', 'Accepted', 'Returned', 'Reported'];
const jobs = Number(process.argv[2] ?? 50_000);

const reused = createActor(performerMachine).start();
let snapshot = reused.getSnapshot();
let status = performerChart.initial;

const ways: Record<string, () => void> = {
  'new actor per job': () => {
    const actor = createActor(performerMachine).start();
    for (const type of EVENTS) actor.send({ type });
    actor.stop();
  },
  'reused actor': () => {
    for (const type of EVENTS) reused.send({ type });
  },
  'pure transition()': () => {
    for (const type of EVENTS) [snapshot] = transition(performerMachine, snapshot, { type });
  },
  'Map': () => {
    for (const type of EVENTS) status = performerChart.next(status, type)!;
  },
};

const result: Record<string, number> = {};
for (const [name, job] of Object.entries(ways)) {
  for (let i = 0; i < jobs / 10; i += 1) job();
  const before = process.cpuUsage();
  for (let i = 0; i < jobs; i += 1) job();
  const { user, system } = process.cpuUsage(before);
  result[name] = Number(((user + system) / jobs).toFixed(3));
}
console.log(JSON.stringify({ unit: 'µs of CPU per job', jobs, ...result, end: status }));
