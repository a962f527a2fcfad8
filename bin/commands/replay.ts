import { Command } from 'commander';
import { archiveOption, jsonOption, namespaceOption, natsOption } from '../arguments.js';
import type { ReplayFlags } from '../replay/run.js';

const EXAMPLE = `
Examples:
  reprise replay 0-4k2m7q9p0r3s5t8v
  reprise replay queue/mail
  reprise replay worker/bakery-1 --json

Reads the journal itself, and its archive, so it works without a broker.
`;

export const replayCommand = (): Command =>
  new Command('replay')
    .description('print every event of a job, queue or worker: position, time, cause, statuses, changes')
    .argument('<id>', 'the id of the job, or kind/id of any actor')
    .addOption(archiveOption())
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print each event as a line of JSON'))
    .addHelpText('after', EXAMPLE)
    .action(async (id: string, flags: ReplayFlags) => (await import('../replay/run.js')).runReplay(id, flags));
