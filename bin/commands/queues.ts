import { Command } from 'commander';
import { filled, jsonOption, namespaceOption, natsOption } from '../arguments.js';
import type { ChangeFlags, QueueFlags } from '../queues/flags.js';

const EXAMPLE = `
Examples:
  reprise queues ls
  reprise queues show orders
  reprise queues pause orders --reason "the warehouse is closed"
  reprise queues resume orders

A paused queue takes and leases no jobs. Running attempts go on, and waiting jobs keep their place.
The oldest waits since its submission, also if it was delayed. Sizes of journals and snapshots: \`reprise system\`.
`;

export function queuesCommand(): Command {
  const subcommand = (name: string, description: string): Command =>
    new Command(name)
      .description(description)
      .addOption(natsOption())
      .addOption(namespaceOption())
      .addOption(jsonOption('print the reply as one line of JSON'))
      .addHelpText('after', EXAMPLE);
  const ofOne = (name: string, description: string): Command =>
    subcommand(name, description).argument('<queue>', 'its name');
  const change = (name: string, description: string): Command =>
    ofOne(name, description).option('--reason <text>', 'the reason, which is recorded', filled);
  const ls = subcommand('ls', 'list the queues that have jobs that have not ended or are paused, and count their jobs')
    .action(async (flags: QueueFlags) => (await import('../queues/list.js')).runList(flags));
  const show = ofOne('show', 'count the jobs of a queue, and show whether it is paused')
    .action(async (queue: string, flags: QueueFlags) => (await import('../queues/show.js')).runShow(queue, flags));
  const pause = change('pause', 'let a queue take and lease no jobs')
    .action(async (queue: string, flags: ChangeFlags) => (await import('../queues/change.js')).runPause(queue, flags));
  const resume = change('resume', 'let a paused queue go on')
    .action(async (queue: string, flags: ChangeFlags) => (await import('../queues/change.js')).runResume(queue, flags));
  return new Command('queues')
    .description('look at queues, pause and resume them: ls, show, pause, resume')
    .addCommand(ls)
    .addCommand(show)
    .addCommand(pause)
    .addCommand(resume)
    .addHelpText('after', EXAMPLE);
}
