import { Command, Option } from 'commander';
import { filled, natsOption, whole, type Where } from '../arguments.js';

const EXAMPLE = `
Example:
  npm start -- --exit

Compresses thousands of files of node_modules, each as a job, and checks every result against the files and the journal.
`;

export interface DemoFlags extends Where {
  readonly exit?: true;
  readonly data?: string;
  readonly port?: number;
  readonly bytes?: number;
  readonly least?: number;
}

export const demoCommand = (): Command =>
  new Command('demo')
    .description('run server, broker and two workers, give them real work, and check everything that came of it')
    .option('--exit', 'end after the summary, with status 0 only if all is verified')
    .option('--data <folder>', 'where the server keeps everything (default: a temporary folder)', filled)
    .option('--port <number>', 'of the server; 0: any free one (default: 4222 if it is free, else a free one)', whole(0, 65_535))
    .addOption(natsOption())
    .addOption(new Option('--bytes <count>', 'how much to compress').argParser(whole(1)).hideHelp())
    .addOption(new Option('--least <count>', 'how many files at least').argParser(whole(1)).hideHelp())
    .addHelpText('after', EXAMPLE)
    .action(async (flags: DemoFlags) => (await import('../demo/run.js')).runDemo(flags));
