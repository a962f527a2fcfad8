import { Command, Option } from 'commander';
import { filled, jsonOption, names, namespaceOption, natsOption } from '../arguments.js';
import type { ChangeFlags, QueueFlags, SetFlags } from '../queues/flags.js';
import { settingOptions, settingsJson } from '../queues/setting-flags.js';

const EXAMPLE = `
Examples:
  reprise queues ls
  reprise queues show orders
  reprise queues pause orders --reason "the warehouse is closed"
  reprise queues resume orders
  reprise queues pause images/ --reason "all queues of the group images"
  reprise queues set images/high --concurrency 10 --rate 100/1m --burst 20
  reprise queues set images/high --fair tenant --weight acme=3 --reason "acme pays for it"
  reprise queues set images/high --unset rate

A name is that of a queue, with its group if it has one, or of a group with a slash at its end: all of its queues.
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
    subcommand(name, description).argument('<queue>', 'its name, or a group with a slash: images/');
  const change = (name: string, description: string): Command =>
    ofOne(name, description).option('--reason <text>', 'the reason, which is recorded', filled);
  const ls = subcommand('ls', 'list the queues that have jobs, are paused or have settings, and count their jobs')
    .action(async (flags: QueueFlags) => (await import('../queues/list.js')).runList(flags));
  const show = ofOne('show', 'count the jobs of a queue, and show its settings and whether it is paused')
    .action(async (queue: string, flags: QueueFlags) => (await import('../queues/show.js')).runShow(queue, flags));
  const pause = change('pause', 'let a queue take and lease no jobs')
    .action(async (queue: string, flags: ChangeFlags) => (await import('../queues/change.js')).runPause(queue, flags));
  const resume = change('resume', 'let a paused queue go on')
    .action(async (queue: string, flags: ChangeFlags) => (await import('../queues/change.js')).runResume(queue, flags));
  const set = change('set', 'change settings of a queue or group; those that are not given stay as they are')
    .addOption(new Option('--settings <json>', 'settings in JSON, as in docs/queues.md').argParser(settingsJson))
    .addOption(new Option('--unset <names>', 'settings that are to go, such as rate,perKey').argParser(names))
    .action(async (queue: string, flags: SetFlags) => (await import('../queues/set.js')).runSet(queue, flags));
  for (const option of settingOptions()) set.addOption(option);
  return new Command('queues')
    .description('look at queues, pause, resume and set them: ls, show, pause, resume, set')
    .addCommand(ls)
    .addCommand(show)
    .addCommand(pause)
    .addCommand(resume)
    .addCommand(set)
    .addHelpText('after', EXAMPLE);
}
