/**
 * The benchmark: compares Reprise with BullMQ and graphile-worker on this machine.
 *
 * Every contender gets the same jobs, the same number of worker processes and the same client loop (client/load.ts),
 * and goes through the same scenarios: submit and process together at each bulk size, drain a filled queue, latency at
 * low load, and the CPU time of each process (scenarios/). Contenders take turns, run by run, each with a fresh server
 * (compare.ts); medians are shown. Reprise and BullMQ are measured at both durabilities. The bare journal, which is the
 * upper bound of Reprise, is measured as well.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { payloadBytes } from './client/payload.js';
import { compare } from './compare.js';
import { fleetSection, fleetText, withFleet } from './fleet/report.js';
import { measureFleet } from './fleet/run.js';
import { NAMES, parseOptions, type BenchOptions } from './options.js';
import { bullmq, bullmqAlways } from './peers/bullmq.js';
import { graphile } from './peers/graphile.js';
import { endOnInterrupt, inScope, log } from './processes/in-scope.js';
import { describeMachine } from './output/machine.js';
import { markdownOf } from './output/markdown.js';
import { tableOf } from './output/table.js';
import { relaxed, reprise } from './reprise/reprise.js';
import type { Conditions, BenchResults } from './results.js';
import { bareJournal } from './scenarios/journal.js';
import { OUTSTANDING } from './scenarios/scenario.js';

const CONTENDERS = {
  reprise, bullmq, 'graphile-worker': graphile, 'bullmq-always': bullmqAlways, 'reprise-relaxed': relaxed,
} as const;
const DOCUMENT = 'docs/benchmarks.md';

const options = parseOptions(process.argv.slice(2));
endOnInterrupt();

if (options.scenario === 'fleet') await fleet();
else await peers();

async function peers(): Promise<void> {
  const results = await measureAll();
  process.stdout.write(options.json ? `${JSON.stringify(results)}\n` : `${tableOf(results)}\n`);
  // What the other scenario has written stays.
  if (options.writeDocs) await writeFile(DOCUMENT, withFleet(markdownOf(results), await readFile(DOCUMENT, 'utf8')));
  // A peer that is not installed does not fail the benchmark; one that threw does.
  process.exitCode = results.absent.some(({ missing }) => !missing) ? 1 : 0;
}

async function fleet(): Promise<void> {
  const results = { machine: describeMachine(), ...(await measureFleet(options.quick, log)) };
  process.stdout.write(options.json ? `${JSON.stringify(results)}\n` : `${fleetText(results)}\n`);
  if (options.writeDocs) await writeFile(DOCUMENT, withFleet(await readFile(DOCUMENT, 'utf8'), fleetSection(results)));
}

async function measureAll(): Promise<BenchResults> {
  const contenders = NAMES.filter((name) => options.peer.includes(name)).map((name) => CONTENDERS[name]);
  const compared = await compare(contenders, options, inScope, log);
  const measuresReprise = compared.measured.some(({ name }) => name === reprise.name);
  const journal = measuresReprise ? await inScope((scope) => bareJournal(scope, options.runs, log)) : undefined;
  return { machine: describeMachine(), conditions: conditionsOf(options), ...compared, ...(journal && { journal }) };
}

function conditionsOf({ jobs, runs, workers, concurrency, samples, bulk }: BenchOptions): Conditions {
  const fixed = { outstanding: OUTSTANDING, payloadBytes: payloadBytes.length };
  return { jobs, runs, workers, concurrency, samples, bulk, ...fixed };
}
