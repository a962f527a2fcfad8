import { Command } from 'commander';
import { jsonOption, namespaceOption, natsOption } from '../arguments.js';
import type { ReplayFlags } from '../replay/run.js';

const EXAMPLE = `
Example:
  reprise replay 0-4k2m7q9p0r3s5t8v

Reads the journal itself, so it works without a broker.
`;

export const replayCommand = (): Command =>
  new Command('replay')
    .description('print every event of a job: position, time, cause, status before and after, changes')
    .argument('<id>', 'the id of the job')
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print each event as a line of JSON'))
    .addHelpText('after', EXAMPLE)
    .action(async (id: string, flags: ReplayFlags) => (await import('../replay/run.js')).runReplay(id, flags));
