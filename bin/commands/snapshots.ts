import { Command, Option } from 'commander';
import { MAX_PARTITIONS } from '../../protocols/ids.js';
import { jsonOption, namespaceOption, natsOption, whole } from '../arguments.js';
import type { SnapshotFlags, VerifyFlags } from '../snapshots/flags.js';

const EXAMPLE = `
Examples:
  reprise snapshots ls
  reprise snapshots take --partition 0
  reprise snapshots verify
  reprise snapshots verify --fold         also folds the journals, which takes a while

A broker that starts begins with the newest snapshot of a partition that can be used, and folds what the journal has
after it. A snapshot counts when it was written, read back and compared. Three of each partition are kept.
These commands connect as the user of brokers: --nats nats://broker:<password>@<host>:<port>, or REPRISE_NATS_URL.
`;

export function snapshotsCommand(): Command {
  const subcommand = (name: string, description: string, json: string): Command =>
    new Command(name)
      .description(description)
      .addOption(partitionOption())
      .addOption(natsOption())
      .addOption(namespaceOption())
      .addOption(jsonOption(json))
      .addHelpText('after', EXAMPLE);
  const ls = subcommand('ls', 'list the snapshots: position, age, size, release', 'print them as one line of JSON')
    .action(async (flags: SnapshotFlags) => (await import('../snapshots/list.js')).runList(flags));
  const take = subcommand('take', 'ask the leaders to take one now, and wait for it', 'print them as one line of JSON')
    .action(async (flags: SnapshotFlags) => (await import('../snapshots/take.js')).runTake(flags));
  const verify = subcommand('verify', 'read them back and compare them', 'print the findings as one line of JSON')
    .option('--fold', 'also fold each journal to the positions of its snapshots, and compare the states')
    .action(async (flags: VerifyFlags) => (await import('../snapshots/verify.js')).runVerify(flags));
  return new Command('snapshots')
    .description('look at snapshots of the state, and take them: ls, take, verify')
    .addCommand(ls)
    .addCommand(take)
    .addCommand(verify)
    .addHelpText('after', EXAMPLE);
}

const partitionOption = (): Option =>
  new Option('--partition <number>', 'of one partition (default: all)').argParser(whole(0, MAX_PARTITIONS - 1));
