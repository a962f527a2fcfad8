import { Command, Option } from 'commander';
import { filled, jsonOption, namespaceOption, natsOption } from '../arguments.js';
import type { ActorFlags, RepairFlags } from '../actors/flags.js';

const EXAMPLE = `
Examples:
  reprise actors ls
  reprise actors repair job/0-4k2m7q9p0r3s5t8v --as failed --reason "submitted again as order-18"
  reprise actors repair worker/bakery-1 --as dropped

An actor, a job, worker or queue, is set aside if a stored event of it cannot be folded. All others go on.
\`reprise replay <kind>/<id>\` shows the event.
`;

export function actorsCommand(): Command {
  const subcommand = (name: string, description: string): Command =>
    new Command(name)
      .description(description)
      .addOption(natsOption())
      .addOption(namespaceOption())
      .addOption(jsonOption('print the reply as one line of JSON'))
      .addHelpText('after', EXAMPLE);
  const ls = subcommand('ls', 'list the jobs, workers and queues that are set aside')
    .action(async (flags: ActorFlags) => (await import('../actors/list.js')).runList(flags));
  const as = new Option('--as <status>', 'failed or ready: take a job back; dropped: forget a job, worker or queue')
    .choices(['failed', 'ready', 'dropped']).makeOptionMandatory();
  const repair = subcommand('repair', 'take one back, or drop it')
    .argument('<actor>', 'its kind and id, as in job/<id>')
    .addOption(as)
    .option('--reason <text>', 'the reason, which is recorded', filled)
    .action(async (actor: string, flags: RepairFlags) => (await import('../actors/repair.js')).runRepair(actor, flags));
  return new Command('actors')
    .description('look at what is set aside, and repair it: ls, repair')
    .addCommand(ls)
    .addCommand(repair)
    .addHelpText('after', EXAMPLE);
}
