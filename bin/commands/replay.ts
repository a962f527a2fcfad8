import { Command } from 'commander';
import { jsonOption, namespaceOption, natsOption, type Where } from '../arguments.js';

const EXAMPLE = `
Example:
  reprise replay 0-4k2m7q9p0r3s5t8v

Reads the journal itself, so it works without a broker too.
`;

export interface ReplayFlags extends Where {
  readonly json?: true;
}

export const replayCommand = (): Command =>
  new Command('replay')
    .description('every event of a job: position, time, cause, status before and after, what changed')
    .argument('<id>', 'the id of the job')
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print each event as a line of JSON'))
    .addHelpText('after', EXAMPLE)
    .action(async (id: string, flags: ReplayFlags) => (await import('../replay/run.js')).runReplay(id, flags));
