/**
 * Measures one figure of docs/reliability.md: `node dist/bench/reliability.js <figure>`. It starts a server and brokers
 * of its own in temporary folders, and removes them.
 */
import { Argument, Command, InvalidArgumentError } from 'commander';
import { describeMachine } from './output/machine.js';
import { loadavg } from 'node:os';
import { endOnInterrupt, inScope, log } from './processes/in-scope.js';
import { ageing } from './reliability/ageing.js';
import { cost } from './reliability/cost.js';
import { disk } from './reliability/disk.js';
import type { Figure } from './reliability/figure.js';
import { memory } from './reliability/memory.js';
import { pause } from './reliability/pause.js';
import { start } from './reliability/start.js';

const FIGURES: Readonly<Record<string, Figure>> = { start, disk, memory, cost, pause, ageing };

interface Flags {
  readonly jobs?: number;
  readonly ended: number;
  readonly runs: number;
  readonly minutes: number;
  readonly bulk: readonly number[];
  readonly json: boolean;
}

const HELP = `
Figures:
  start    from the start of a broker's process to its first answer, from a snapshot; --jobs live, --ended behind them
  disk     bytes of journal, archive and index after --jobs small jobs, with all policies at their defaults
  memory   of a broker with --jobs waiting jobs of 200 bytes, and after a restart
  cost     of snapshots and archive, in pairs with and without; --bulk, --runs pairs
  pause    the longest wait of a small request while a snapshot of --jobs jobs is taken
  ageing   --minutes of load with small segments: flat memory, flat disk, flat start, or an exit status of 1`;

function number(text: string): number {
  const given = Number(text);
  if (text.trim() !== '' && given >= 0 && Number.isFinite(given)) return given;
  throw new InvalidArgumentError('A number is needed.');
}

const command = new Command('node dist/bench/reliability.js')
  .description('Measures one figure of docs/reliability.md on this machine.')
  .addArgument(new Argument('<figure>', 'what to measure').choices(Object.keys(FIGURES)))
  .option('--jobs <number>', 'how many jobs: 1,000,000, and 300,000 for cost', number)
  .option('--ended <number>', 'ended jobs behind the live ones, for start', number, 0)
  .option('--runs <number>', 'runs, of which the median is shown', number, 3)
  .option('--minutes <number>', 'of load, for ageing', number, 20)
  .option('--bulk <sizes...>', 'jobs per request, for cost', (text, before: number[]) => [...before, number(text)], [])
  .option('--json', 'one JSON object', false)
  .addHelpText('after', HELP)
  .parse();

endOnInterrupt();

const name = command.args[0]!;
const { json, bulk, jobs, ...rest } = command.opts<Flags>();
const sizes = bulk.length > 0 ? bulk : [1, 100];
const loadBefore = loadavg()[0]!;
const { ok, lines, data } = await FIGURES[name]!({ ...rest, jobs, bulk: sizes, inScope, log });
const machine = describeMachine();
if (json) {
  process.stdout.write(`${JSON.stringify({ figure: name, ok, machine, loadBefore, ...data })}\n`);
} else {
  const { cores, cpu, memoryGb, node } = machine;
  const where = `${cores} cores (${cpu}), ${memoryGb} GB, Node ${node}; load before ${loadBefore.toFixed(1)}`;
  process.stdout.write(`${[...lines, where].join('\n')}\n`);
}
process.exitCode = ok ? 0 : 1;
