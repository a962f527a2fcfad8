import { Argument, Command } from 'commander';
import { LIMITS } from '../../protocols/limits.js';
import { filled, jsonOption, namespaceOption, natsOption, whole } from '../arguments.js';
import { ACTIONS, type Action } from '../../actors/bulk/bulk.js';
import type { BulkFlags } from '../jobs/bulk.js';
import type { CancelFlags } from '../jobs/cancel.js';
import type { JobFlags } from '../jobs/client.js';
import type { ListFlags } from '../jobs/list.js';
import type { DiscardFlags, ReprioritizeFlags, RetryFlags } from '../jobs/retry.js';

const EXAMPLE = `
Examples:
  reprise jobs show 0-4k2m7q9p0r3s5t8v
  reprise jobs show --queue orders --key order-17
  reprise jobs watch 0-4k2m7q9p0r3s5t8v
  reprise jobs why 0-4k2m7q9p0r3s5t8v
  reprise jobs cancel 0-4k2m7q9p0r3s5t8v --reason "ordered twice"
  reprise jobs retry 0-4k2m7q9p0r3s5t8v
  reprise jobs retry 0-4k2m7q9p0r3s5t8v --payload '{"n":13}'
  reprise jobs discard 0-4k2m7q9p0r3s5t8v --reason "the order was withdrawn"
  reprise jobs reprioritize 0-4k2m7q9p0r3s5t8v --priority 10

A job that failed, expired or was cancelled can be retried: the same job, at its place, with all of its attempts.
`;

const FILTERS = `
Examples:
  reprise jobs ls
  reprise jobs ls status:failed type:resize code:TIMEOUT,LEASE_EXPIRED
  reprise jobs ls label.tenant:acme after:2h before:30m
  reprise jobs ls 'queue:orders -type:ship key:"order 17"'

A filter has terms key:value, all of which must be true. A comma, or a key that is given again, means "or"; "-" before a
term means "not". Keys: id, type, queue, status, code, key, priority (5, 1..3, 10..), label.<name>, after and before: an
age like 2h or 7d, or a time like 2026-03-01T12:00:00Z, of the end of a job that has ended, else of its submission.
Without status: jobs that have not ended, and failed ones. Put a filter in quotes if it begins with "-".
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
  const retry = subcommand('retry', 'try a job again that failed, expired or was cancelled', 'print the reply as JSON')
    .option('--payload <json>', 'another payload: JSON, @file, or - for stdin')
    .action(async (id: Id, flags: RetryFlags) => (await import('../jobs/retry.js')).runRetry(id, flags));
  const discard = subcommand('discard', 'keep a failed job no longer', 'print the reply as JSON')
    .option('--reason <text>', 'the reason, which is recorded')
    .action(async (id: Id, flags: DiscardFlags) => (await import('../jobs/retry.js')).runDiscard(id, flags));
  const reprioritize = subcommand('reprioritize', 'give a job another priority', 'print the reply as JSON')
    .requiredOption('--priority <number>', 'higher goes first', whole(LIMITS.leastPriority, LIMITS.mostPriority))
    .action(async (id: Id, flags: ReprioritizeFlags) =>
      (await import('../jobs/retry.js')).runReprioritize(id, flags));
  return new Command('jobs')
    .description('look at jobs and change them: ls, show, watch, cancel, …')
    .addCommand(listCommand())
    .addCommand(show)
    .addCommand(watch)
    .addCommand(why)
    .addCommand(cancel)
    .addCommand(retry)
    .addCommand(discard)
    .addCommand(reprioritize)
    .addCommand(bulkCommand())
    .addCommand(bulkStopCommand())
    .addHelpText('after', EXAMPLE);
}

function listCommand(): Command {
  return new Command('ls')
    .description('list jobs that have not ended, and failed ones that are kept, the oldest first')
    .argument('[filter...]', 'terms such as status:failed')
    .option('--limit <count>', 'at most so many', whole(1, MOST_LISTED), 100)
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print them as one line of JSON'))
    .addHelpText('after', FILTERS)
    .action(async (filter: string[], flags: ListFlags) => (await import('../jobs/list.js')).runList(filter, flags));
}

const BULK = `
Examples:
  reprise jobs bulk retry status:failed code:TIMEOUT after:2h              counts them, and changes nothing
  reprise jobs bulk retry status:failed code:TIMEOUT after:2h --yes --rate 50 --reason "the disk is back"
  reprise jobs bulk reprioritize queue:orders label.tenant:acme --priority 10 --yes
  reprise jobs bulk-stop <id>

The jobs are counted first, and exactly those are changed, at most so many a second in each partition. One that changed
meanwhile is skipped. It goes on if this command ends: its id is printed.
`;

function bulkCommand(): Command {
  return new Command('bulk')
    .description('retry, discard, cancel or reprioritize all jobs that match a filter')
    .addArgument(new Argument('<action>', 'what to do').choices(ACTIONS))
    .argument('<filter...>', 'terms such as status:failed')
    .option('--rate <count>', 'jobs a second in each partition (default: 100)', whole(1, LIMITS.bulkPerSecond))
    .option('--priority <number>', 'of reprioritize', whole(LIMITS.leastPriority, LIMITS.mostPriority))
    .option('--reason <text>', 'the reason, which is recorded', filled)
    .option('--yes', 'change them, not only count them')
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print the outcome as one line of JSON'))
    .addHelpText('after', BULK)
    .action(async (action: Action, filter: string[], flags: BulkFlags) =>
      (await import('../jobs/bulk.js')).runBulk(action, filter, flags));
}

function bulkStopCommand(): Command {
  return new Command('bulk-stop')
    .description('stop a bulk; what it did stays done')
    .argument('<id>', 'as it was printed')
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print it as one line of JSON'))
    .addHelpText('after', BULK)
    .action(async (id: string, flags: BulkFlags) => (await import('../jobs/bulk.js')).runStop(id, flags));
}

const MOST_LISTED = 100_000;
