/**
 * The benchmark: Reprise beside BullMQ and graphile-worker, on this machine, in one go.
 *
 * Every contender gets the same jobs, the same number of worker processes and the same client loop (client/load.ts),
 * and goes through the same scenarios: submit and process together at each bulk size, drain a filled queue, latency at
 * low load, and what all that costs each process (scenarios/). Contenders take turns, run by run, each with a fresh
 * server (compare.ts); medians are shown. Beside them stands the bare journal, which bounds what Reprise can do.
 */
import { writeFile } from 'node:fs/promises';
import { payloadBytes } from './client/payload.js';
import { compare } from './compare.js';
import { NAMES, parseOptions, type BenchOptions } from './options.js';
import { bullmq } from './peers/bullmq.js';
import { graphile } from './peers/graphile.js';
import { Scope } from './processes/scope.js';
import { describeMachine } from './report/machine.js';
import { markdownOf } from './report/markdown.js';
import { tableOf } from './report/table.js';
import { reprise } from './reprise/reprise.js';
import type { Conditions, Report } from './results.js';
import { bareJournal } from './scenarios/journal.js';
import { OUTSTANDING } from './scenarios/scenario.js';

const CONTENDERS = { reprise, bullmq, 'graphile-worker': graphile } as const;
const DOCUMENT = 'docs/benchmarks.md';

const options = parseOptions(process.argv.slice(2));
const everything = new Scope();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => void everything.end().finally(() => process.exit(130)));
}

const report = await measureAll();
process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : `${tableOf(report)}\n`);
if (options.writeDocs) await writeFile(DOCUMENT, markdownOf(report));
// A peer that is not installed is no failure; one that broke is.
process.exitCode = report.absent.some(({ missing }) => !missing) ? 1 : 0;

async function measureAll(): Promise<Report> {
  const contenders = NAMES.filter((name) => options.peer.includes(name)).map((name) => CONTENDERS[name]);
  const compared = await compare(contenders, options, inScope, say);
  const ours = compared.measured.some(({ name }) => name === reprise.name);
  const journal = ours ? await inScope((scope) => bareJournal(scope, options.runs, say)) : undefined;
  return { machine: describeMachine(), conditions: conditionsOf(options), ...compared, ...(journal && { journal }) };
}

function conditionsOf({ jobs, runs, workers, concurrency, samples, bulk }: BenchOptions): Conditions {
  return { jobs, runs, workers, concurrency, samples, bulk, outstanding: OUTSTANDING, payloadBytes: payloadBytes.length };
}

/** Ends with what it encloses, or with the whole benchmark when that is interrupted. */
async function inScope<T>(within: (scope: Scope) => Promise<T>): Promise<T> {
  const scope = new Scope();
  everything.add(() => scope.end());
  try {
    return await within(scope);
  } finally {
    await scope.end();
    // Interrupted: the process is about to exit, and nothing more may be started or printed.
    if (everything.isEnding) await new Promise(() => undefined);
  }
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}
