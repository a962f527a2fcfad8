/** The command line of the benchmark. */
import { Command, InvalidArgumentError, Option } from 'commander';

export const NAMES = ['reprise', 'bullmq', 'graphile-worker', 'bullmq-always', 'reprise-relaxed'] as const;

export interface BenchOptions {
  readonly jobs: number;
  readonly runs: number;
  readonly workers: number;
  readonly concurrency: number;
  readonly samples: number;
  /** Jobs per request. */
  readonly bulk: readonly number[];
  readonly peer: readonly string[];
  readonly scenario: 'peers' | 'fleet';
  readonly quick: boolean;
  readonly json: boolean;
  readonly writeDocs: boolean;
}

const EXAMPLES = `
Examples:
  npm run bench                                   everything, about a quarter of an hour
  npm run bench -- --quick --peer reprise bullmq  a first look
  npm run bench -- --bulk 1 --peer reprise bullmq-always   one job a call, at equal durability
  npm run bench -- --scenario fleet               what a lease costs with a million jobs and a thousand workers
  npm run bench -- --workers 2 --json > bench.json`;

/** Enough to see that everything works; too little for results. */
const QUICK = { jobs: 2_000, runs: 1, samples: 200 };

export function parseOptions(parameters: readonly string[]): BenchOptions {
  const command = new Command('npm run bench --')
    .description('Compares Reprise with BullMQ and graphile-worker on this machine. It installs nothing.')
    .option('--jobs <number>', 'jobs per measurement', count(1_000_000), 20_000)
    .option('--runs <number>', 'runs, of which the median is shown', count(25), 3)
    .option('--workers <number>', 'worker processes', count(64), 4)
    .option('--concurrency <number>', 'how many jobs each runs at the same time', count(1_000), 50)
    .option('--samples <number>', 'latencies measured per run', count(100_000), 2_000)
    .option('--bulk <sizes...>', 'jobs per request', collect(count(1_000)), [1, 100])
    .addOption(new Option('--peer <names...>', 'which systems to measure').choices(NAMES).default([...NAMES]))
    .addOption(new Option('--scenario <name>', 'peers: against other queues; fleet: the cost of dispatch')
      .choices(['peers', 'fleet']).default('peers'))
    .option('--quick', `${QUICK.jobs} jobs, ${QUICK.runs} run, ${QUICK.samples} latencies`, false)
    .option('--json', 'one JSON object instead of the table', false)
    .option('--write-docs', 'write docs/benchmarks.md', false)
    .addHelpText('after', EXAMPLES);
  const options = command.parse(parameters, { from: 'user' }).opts<BenchOptions>();
  if (!options.quick) return options;
  // Options that are given explicitly override those of --quick.
  const given = Object.keys(QUICK).filter((name) => command.getOptionValueSource(name) === 'cli');
  return { ...options, ...Object.fromEntries(Object.entries(QUICK).filter(([name]) => !given.includes(name))) };
}

function count(most: number): (text: string) => number {
  return (text) => {
    const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    if (number >= 1 && number <= most) return number;
    throw new InvalidArgumentError(`A whole number between 1 and ${most} is needed.`);
  };
}

/** Commander passes one value at a time, and the default before the first. */
function collect(parse: (text: string) => number): (text: string, before: number[]) => number[] {
  let given: number[] = [];
  return (text) => (given = [...given, parse(text)]);
}
