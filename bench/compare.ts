/** Runs the contenders in turns and collects the results. */
import type { Contender, Settings } from './contender.js';
import { messageOf } from '../protocols/errors.js';
import type { BenchOptions } from './options.js';
import type { Scope } from './processes/scope.js';
import { medianOf } from './output/statistics.js';
import type { Absent, Measured, Run } from './results.js';
import { runOnce } from './scenarios/run.js';

export type Log = (line: string) => void;

/** Ends what the function has started when the function ends. */
export type InScope = <T>(within: (scope: Scope) => Promise<T>) => Promise<T>;

export interface Compared {
  readonly measured: readonly Measured[];
  readonly absent: readonly Absent[];
}

interface Harness {
  readonly options: BenchOptions;
  readonly inScope: InScope;
  readonly log: Log;
}

interface Entry {
  readonly contender: Contender;
  readonly runs: Run[];
  settings?: Settings;
  absent?: Absent;
}

/** Run by run rather than contender by contender, so that a slow minute of the machine affects all of them. */
export async function compare(
  contenders: readonly Contender[],
  options: BenchOptions,
  inScope: InScope,
  log: Log,
): Promise<Compared> {
  const harness = { options, inScope, log };
  const entries = await Promise.all(contenders.map((contender) => enter(contender, log)));
  for (let number = 1; number <= options.runs; number += 1) {
    for (const entry of entries) {
      if (!entry.absent) await takeTurn(entry, `${entry.contender.name}, run ${number} of ${options.runs}`, harness);
    }
  }
  return { measured: entries.flatMap(measuredOf), absent: entries.flatMap(({ absent }) => absent ?? []) };
}

async function enter(contender: Contender, log: Log): Promise<Entry> {
  const why = await contender.missing();
  if (why === undefined) return { contender, runs: [] };
  log(`${contender.name} is skipped: ${why}`);
  return { contender, runs: [], absent: { name: contender.name, why, missing: true } };
}

async function takeTurn(entry: Entry, label: string, { options, inScope, log }: Harness): Promise<void> {
  const { workers, concurrency } = options;
  const logStep = (line: string): void => log(`  ${label}: ${line}`);
  log(label);
  try {
    const { settings, run } = await inScope((scope) => {
      return runOnce(entry.contender, { workers, concurrency, scope }, options, logStep);
    });
    entry.settings = settings;
    entry.runs.push(run);
  } catch (error) {
    // The others are still measured; the exit status shows the failure.
    const why = messageOf(error);
    entry.absent = { name: entry.contender.name, why, missing: false };
    log(`${label} failed: ${error instanceof Error ? error.stack : why}`);
  }
}

function measuredOf({ contender: { name }, settings, runs, absent }: Entry): Measured[] {
  return settings && !absent ? [{ name, settings, runs, median: medianOf(runs) }] : [];
}
