import { Command } from 'commander';
import { filled, jsonOption, namespaceOption, natsOption, whole, type Where } from '../arguments.js';

const EXAMPLE = `
Example:
  reprise dev --performers ./performers --workers 2

Then, in another terminal of the same folder:
  reprise submit square '{"n":12}' --wait

Workers are replaced when a file of the performers changes, also when ./performers comes later. Ctrl-C ends the workers,
the broker and the server in order. --port and --data are for the server that it starts; with --nats there is none.
`;

export interface DevFlags extends Where {
  readonly performers?: string;
  readonly port?: number;
  readonly data?: string;
  readonly partitions: number;
  readonly workers: number;
  readonly concurrency: number;
  readonly json?: true;
}

export const devCommand = (): Command =>
  new Command('dev')
    .description('run server, broker and workers on this machine, and start again whichever dies')
    .option('--performers <folder>', 'where the performers are (default: ./performers once there are some, else the examples)', filled)
    .option('--port <number>', 'of the server; 0: any free one (default: 4222 if it is free, else a free one)', whole(0, 65_535))
    .option('--data <folder>', 'where the server keeps everything (default: "./.reprise/data")', filled)
    .option('--partitions <count>', 'how many partitions the namespace has', whole(1, 256), 1)
    .option('--workers <count>', 'how many worker processes', whole(0, 64), 1)
    .option('--concurrency <count>', 'how many jobs at a time in each', whole(1, 10_000), 10)
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print addresses and process ids as one line of JSON once all is up'))
    .addHelpText('after', EXAMPLE)
    .action(async (flags: DevFlags) => (await import('../dev/run.js')).runDev(flags));
