import { Command } from 'commander';
import { jsonOption, namespaceOption, natsOption } from '../arguments.js';
import type { CancelFlags } from '../jobs/cancel.js';
import type { JobFlags } from '../jobs/client.js';

const EXAMPLE = `
Examples:
  reprise jobs show 0-4k2m7q9p0r3s5t8v
  reprise jobs show --queue orders --key order-17
  reprise jobs watch 0-4k2m7q9p0r3s5t8v
  reprise jobs why 0-4k2m7q9p0r3s5t8v
  reprise jobs cancel 0-4k2m7q9p0r3s5t8v --reason "ordered twice"
`;

type Id = string | undefined;

export function jobsCommand(): Command {
  const subcommand = (name: string, description: string, json: string): Command =>
    new Command(name)
      .description(description)
      .argument('[id]', 'the id of the job, unless --key is given')
      .option('--queue <name>', 'with --key: the queue (default: "default")')
      .option('--key <text>', 'the key that the job was submitted with')
      .addOption(natsOption())
      .addOption(namespaceOption())
      .addOption(jsonOption(json))
      .addHelpText('after', EXAMPLE);
  const show = subcommand('show', 'show the state of a job', 'print it as JSON, with the result as it is stored')
    .action(async (id: Id, flags: JobFlags) => (await import('../jobs/show.js')).runShow(id, flags));
  const watch = subcommand('watch', 'print the events of a job until it ends', 'print each event as a line of JSON')
    .action(async (id: Id, flags: JobFlags) => (await import('../jobs/watch.js')).runWatch(id, flags));
  const cancel = subcommand('cancel', 'cancel a waiting or running job', 'print the reply as one line of JSON')
    .option('--reason <text>', 'the reason, which is recorded')
    .action(async (id: Id, flags: CancelFlags) => (await import('../jobs/cancel.js')).runCancel(id, flags));
  const why = subcommand('why', 'say why a job is not running: everything that keeps it from it', 'print it as JSON')
    .action(async (id: Id, flags: JobFlags) => (await import('../jobs/why.js')).runWhy(id, flags));
  return new Command('jobs')
    .description('look at jobs: show, watch, why, cancel')
    .addCommand(show)
    .addCommand(watch)
    .addCommand(why)
    .addCommand(cancel)
    .addHelpText('after', EXAMPLE);
}
