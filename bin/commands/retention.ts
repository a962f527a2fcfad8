import { Argument, Command } from 'commander';
import { filled, jsonOption, namespaceOption, natsOption } from '../arguments.js';
import { keepingTime, type RetentionFlags, type SetFlags } from '../retention/flags.js';

const EXAMPLE = `
Examples:
  reprise retention ls
  reprise retention set 90d                       of all queues without a setting of their own
  reprise retention set 30d --queue orders
  reprise retention set forever --queue invoices
  reprise retention set default --queue orders    as all others again

When a job ended so long ago, its payload, result, failures and reasons are removed from the archive, for good. What
happened and when stays, and the audit agrees. What is still in the journal is not touched. Without a setting contents
are kept for ever.
\`set\` connects as the user of brokers: --nats nats://broker:<password>@<host>:<port>, or REPRISE_NATS_URL.
`;

export function retentionCommand(): Command {
  const subcommand = (name: string, description: string, json: string): Command =>
    new Command(name)
      .description(description)
      .addOption(natsOption())
      .addOption(namespaceOption())
      .addOption(jsonOption(json))
      .addHelpText('after', EXAMPLE);
  const ls = subcommand('ls', 'list the default and the settings of queues', 'print them as one line of JSON')
    .action(async (flags: RetentionFlags) => (await import('../retention/list.js')).runList(flags));
  const time = new Argument('<time>', 'since the end of a job, as in 30d; or forever; or default')
    .argParser(keepingTime);
  const set = subcommand('set', 'set it for a queue, or by default', 'print it as one line of JSON')
    .addArgument(time)
    .option('--queue <name>', 'of one queue (default: all without a setting of their own)', filled)
    .action(async (contentMs: number | 'default', flags: SetFlags) =>
      (await import('../retention/set.js')).runSet(contentMs, flags));
  return new Command('retention')
    .description('for how long the archive keeps contents of ended jobs: ls, set')
    .addCommand(ls)
    .addCommand(set)
    .addHelpText('after', EXAMPLE);
}
