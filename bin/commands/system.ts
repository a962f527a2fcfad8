import { Command } from 'commander';
import { jsonOption, namespaceOption, natsOption } from '../arguments.js';
import type { SystemFlags } from '../system/run.js';

const EXAMPLE = `
Example:
  reprise system

For each partition: the first and last position of its journal and its size, its newest snapshot, how far it is
archived, and what keeps it from being truncated. It connects as the user of brokers. \`reprise doctor\` says what needs
attention.
`;

export const systemCommand = (): Command =>
  new Command('system')
    .description('show what a namespace has on the server: journals, snapshots, and what may be truncated')
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print the figures as one line of JSON'))
    .addHelpText('after', EXAMPLE)
    .action(async (flags: SystemFlags) => (await import('../system/run.js')).runSystem(flags));
