/** Lets the contenders take turns, and gathers what was measured. */
import type { Contender, Settings } from './contender.js';
import type { BenchOptions } from './options.js';
import type { Scope } from './processes/scope.js';
import { medianOf } from './report/statistics.js';
import type { Absent, Measured, Run } from './results.js';
import { runOnce } from './scenarios/run.js';

export type Say = (line: string) => void;

/** What is started within ends with it. */
export type InScope = <T>(within: (scope: Scope) => Promise<T>) => Promise<T>;

export interface Compared {
  readonly measured: readonly Measured[];
  readonly absent: readonly Absent[];
}

interface Entry {
  readonly contender: Contender;
  readonly runs: Run[];
  settings?: Settings;
  absent?: Absent;
}

/** Run by run rather than contender by contender, so that a slow minute of the machine meets them all. */
export async function compare(contenders: readonly Contender[], options: BenchOptions, inScope: InScope, say: Say): Promise<Compared> {
  const entries = await Promise.all(contenders.map((contender) => enter(contender, say)));
  for (let number = 1; number <= options.runs; number += 1) {
    for (const entry of entries) {
      if (!entry.absent) await takeTurn(entry, `${entry.contender.name}, run ${number} of ${options.runs}`, options, inScope, say);
    }
  }
  return { measured: entries.flatMap(measuredOf), absent: entries.flatMap(({ absent }) => absent ?? []) };
}

async function enter(contender: Contender, say: Say): Promise<Entry> {
  const why = await contender.missing();
  if (why === undefined) return { contender, runs: [] };
  say(`${contender.name} is skipped. ${why}`);
  return { contender, runs: [], absent: { name: contender.name, why, missing: true } };
}

async function takeTurn(entry: Entry, label: string, options: BenchOptions, inScope: InScope, say: Say): Promise<void> {
  const { workers, concurrency } = options;
  say(label);
  try {
    const { settings, run } = await inScope((scope) => runOnce(entry.contender, { workers, concurrency, scope }, options, (line) => say(`  ${label}: ${line}`)));
    entry.settings = settings;
    entry.runs.push(run);
  } catch (error) {
    // The others are still worth measuring, and the exit status tells.
    const why = error instanceof Error ? error.message : String(error);
    entry.absent = { name: entry.contender.name, why, missing: false };
    say(`${label} failed: ${error instanceof Error ? error.stack : why}`);
  }
}

function measuredOf({ contender: { name }, settings, runs, absent }: Entry): Measured[] {
  return settings && !absent ? [{ name, settings, runs, median: medianOf(runs) }] : [];
}
