/** The command line: which commands there are. What each does is loaded when it is asked for, so that workers start fast. */
import { Command, CommanderError } from 'commander';
import { auditCommand } from './commands/audit.js';
import { brokerCommand } from './commands/broker.js';
import { demoCommand } from './commands/demo.js';
import { devCommand } from './commands/dev.js';
import { doctorCommand } from './commands/doctor.js';
import { jobsCommand } from './commands/jobs.js';
import { replayCommand } from './commands/replay.js';
import { submitCommand } from './commands/submit.js';
import { workerCommand } from './commands/worker.js';
import { endWith, MISUSED, usage } from './failure.js';
import { version } from './self.js';

const EXAMPLE = `
Examples:
  reprise dev                              everything on this machine, with the example performers
  reprise submit square '{"n":12}' --wait  run a job and print its result
  reprise <command> --help                 more about one command

Addresses: --nats, else REPRISE_NATS_URL, else the running \`reprise dev\` of this folder or one above it, else
nats://127.0.0.1:4222.
`;

function program(): Command {
  const root = new Command('reprise')
    .description('Runs jobs on fleets of workers, needs only a NATS server, and remembers everything that happened.')
    .version(version())
    .addHelpText('after', EXAMPLE);
  const commands = [devCommand, brokerCommand, workerCommand, submitCommand, jobsCommand, replayCommand, auditCommand, doctorCommand, demoCommand];
  for (const make of commands) root.addCommand(make());
  settle(root);
  return root;
}

/** A subcommand that is added whole inherits nothing, so each is told how to end. */
function settle(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => undefined }).showHelpAfterError(false);
  for (const each of command.commands) settle(each);
}

async function run(argv: readonly string[]): Promise<void> {
  try {
    await program().parseAsync([...argv]);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Asked for nothing, it has printed its help, and nothing was done.
      if (error.code === 'commander.help') process.exitCode = MISUSED;
      else if (error.exitCode !== 0) endWith(usage(error));
    } else {
      endWith(error);
    }
  }
}

// Whoever reads us may have seen enough: `reprise replay <id> | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

await run(process.argv);
