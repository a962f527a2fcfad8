import { Command, Option } from 'commander';
import { filled, natsOption, portOption, whole } from '../arguments.js';
import type { DemoFlags } from '../demo/run.js';

const EXAMPLE = `
Example:
  npm start -- --exit

Compresses thousands of files of node_modules, each as a job, and verifies every result against the files and the
journal.
`;

export const demoCommand = (): Command =>
  new Command('demo')
    .description('run server, broker and two workers, submit real work, and verify every result')
    .option('--exit', 'exit after the summary, with status 0 only if every result is verified')
    .option('--data <folder>', 'data folder of the server (default: a temporary folder)', filled)
    .addOption(portOption())
    .addOption(natsOption())
    .addOption(new Option('--bytes <count>', 'how many bytes to compress at least').argParser(whole(1)).hideHelp())
    .addOption(new Option('--least <count>', 'how many files to compress at least').argParser(whole(1)).hideHelp())
    .addHelpText('after', EXAMPLE)
    .action(async (flags: DemoFlags) => (await import('../demo/run.js')).runDemo(flags));
