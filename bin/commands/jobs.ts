import { Command } from 'commander';
import { jsonOption, namespaceOption, natsOption, type Where } from '../arguments.js';

const EXAMPLE = `
Examples:
  reprise jobs show 0-4k2m7q9p0r3s5t8v
  reprise jobs show --queue orders --key order-17
  reprise jobs watch 0-4k2m7q9p0r3s5t8v
  reprise jobs cancel 0-4k2m7q9p0r3s5t8v --reason "ordered twice"
`;

export interface JobFlags extends Where {
  readonly queue?: string;
  readonly key?: string;
  readonly json?: true;
}

export interface CancelFlags extends JobFlags {
  readonly reason?: string;
}

export function jobsCommand(): Command {
  const about = (name: string, description: string, json: string): Command =>
    new Command(name)
      .description(description)
      .argument('[id]', 'the id of the job, unless it is named by --key')
      .option('--queue <name>', 'with --key: the queue (default: "default")')
      .option('--key <text>', 'the key that it was submitted with')
      .addOption(natsOption())
      .addOption(namespaceOption())
      .addOption(jsonOption(json))
      .addHelpText('after', EXAMPLE);
  const show = about('show', 'what is known of a job now', 'print it as JSON, with the result as it is stored')
    .action(async (id: string | undefined, flags: JobFlags) => (await import('../jobs/show.js')).runShow(id, flags));
  const watch = about('watch', 'what happened to a job and what happens, until it has ended', 'print each event as a line of JSON')
    .action(async (id: string | undefined, flags: JobFlags) => (await import('../jobs/watch.js')).runWatch(id, flags));
  const cancel = about('cancel', 'cancel a job: waiting or running', 'print the answer as one line of JSON')
    .option('--reason <text>', 'why, for the record')
    .action(async (id: string | undefined, flags: CancelFlags) => (await import('../jobs/cancel.js')).runCancel(id, flags));
  return new Command('jobs').description('look at jobs: show, watch, cancel').addCommand(show).addCommand(watch).addCommand(cancel).addHelpText('after', EXAMPLE);
}
