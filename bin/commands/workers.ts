import { Command } from 'commander';
import { filled, jsonOption, namespaceOption, natsOption } from '../arguments.js';
import type { OrderFlags, WorkersFlags } from '../workers/flags.js';

const EXAMPLE = `
Examples:
  reprise workers ls
  reprise workers ls --watch
  reprise workers show gpu-7
  reprise workers cordon gpu-7 --reason "the fan is loud"
  reprise workers uncordon gpu-7
  reprise workers drain gpu-7 --reason "new kernel"
  reprise workers ls --json | jq '.workers[] | select(.status == "suspect") | .workerId'

A cordoned worker gets no new jobs and keeps what it runs, until it is uncordoned, also if it is started again.
A drained worker finishes what it holds, hands back what does not end in time, and exits. It may be started again.
`;

export function workersCommand(): Command {
  const subcommand = (name: string, description: string): Command =>
    new Command(name)
      .description(description)
      .addOption(natsOption())
      .addOption(namespaceOption())
      .addOption(jsonOption('print the reply as one line of JSON'))
      .addHelpText('after', EXAMPLE);
  const watched = (command: Command): Command =>
    command.option('--watch', 'again every second, until it is interrupted');
  const order = (name: string, description: string): Command =>
    subcommand(name, description)
      .argument('<worker>', 'its id')
      .option('--reason <text>', 'the reason, which is recorded', filled);
  const ls = watched(subcommand('ls', 'list the workers: those that are registered or cordoned, or left lately'))
    .action(async (flags: WorkersFlags) => (await import('../workers/show.js')).runList(flags));
  const show = watched(subcommand('show', 'show one worker, with what it runs').argument('<worker>', 'its id'))
    .action(async (id: string, flags: WorkersFlags) => (await import('../workers/show.js')).runShow(id, flags));
  const cordon = order('cordon', 'give a worker no new jobs')
    .action(async (id: string, flags: OrderFlags) => (await import('../workers/order.js')).runCordon(id, flags));
  const uncordon = order('uncordon', 'give a cordoned worker jobs again')
    .action(async (id: string, flags: OrderFlags) => (await import('../workers/order.js')).runUncordon(id, flags));
  const drain = order('drain', 'let a worker finish what it holds, and exit')
    .action(async (id: string, flags: OrderFlags) => (await import('../workers/order.js')).runDrain(id, flags));
  return new Command('workers')
    .description('look at workers, cordon and drain them: ls, show, cordon, uncordon, drain')
    .addCommand(ls)
    .addCommand(show)
    .addCommand(cordon)
    .addCommand(uncordon)
    .addCommand(drain)
    .addHelpText('after', EXAMPLE);
}
