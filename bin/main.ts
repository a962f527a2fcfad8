/** The command line. The code of a command is loaded when it runs, so that workers start fast. */
import { Command, CommanderError } from 'commander';
import { archiveCommand } from './commands/archive.js';
import { actorsCommand } from './commands/actors.js';
import { auditCommand } from './commands/audit.js';
import { backupCommand } from './commands/backup.js';
import { brokerCommand } from './commands/broker.js';
import { demoCommand } from './commands/demo.js';
import { devCommand } from './commands/dev.js';
import { doctorCommand } from './commands/doctor.js';
import { jobsCommand } from './commands/jobs.js';
import { queuesCommand } from './commands/queues.js';
import { replayCommand } from './commands/replay.js';
import { restoreCommand } from './commands/restore.js';
import { retentionCommand } from './commands/retention.js';
import { snapshotsCommand } from './commands/snapshots.js';
import { submitCommand } from './commands/submit.js';
import { systemCommand } from './commands/system.js';
import { workerCommand } from './commands/worker.js';
import { workersCommand } from './commands/workers.js';
import { exitWithError, MISUSED, usageError } from './error-exit.js';
import { version } from './self.js';
import { endWithin } from './shutdown.js';

const HELP = 'help';
const LINGER_MS = 1_000;

const EXAMPLE = `
Examples:
  reprise dev                              everything on this machine, with the example performers
  reprise submit square '{"n":12}' --wait  run a job and print its result
  reprise <command> --help                 more about one command

Addresses: --nats, else REPRISE_NATS_URL, else the running \`reprise dev\` of this folder or one above it, else
nats://127.0.0.1:4222.
`;

const COMMANDS = [
  devCommand,
  brokerCommand,
  workerCommand,
  submitCommand,
  jobsCommand,
  queuesCommand,
  workersCommand,
  actorsCommand,
  replayCommand,
  auditCommand,
  backupCommand,
  restoreCommand,
  snapshotsCommand,
  archiveCommand,
  retentionCommand,
  systemCommand,
  doctorCommand,
  demoCommand,
];

function program(): Command {
  const root = new Command('reprise')
    .description('Runs jobs on fleets of workers, needs only a NATS server, and remembers everything that happened.')
    .version(version())
    .addHelpText('after', EXAMPLE);
  for (const make of COMMANDS) root.addCommand(make());
  throwErrors(root);
  return root;
}

/** Makes the parser throw instead of printing and exiting. A subcommand does not inherit these settings. */
function throwErrors(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => undefined }).showHelpAfterError(false);
  for (const each of command.commands) throwErrors(each);
}

/** Drops what follows an unknown command: for `reprise nonsense --help` the parser would print help, not an error. */
function untilUnknown(root: Command, words: readonly string[]): readonly string[] {
  let at = root;
  for (const [nth, word] of words.entries()) {
    if (word.startsWith('-') || at.commands.length === 0) return words;
    if (word === HELP) continue;
    const next = at.commands.find((each) => each.name() === word);
    if (next === undefined) return words.slice(0, nth + 1).filter((each) => each !== HELP);
    at = next;
  }
  return words;
}

async function run(words: readonly string[]): Promise<void> {
  try {
    const root = program();
    await root.parseAsync(untilUnknown(root, words), { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return;
      // Without a subcommand the parser has printed the help.
      if (error.code === 'commander.help') process.exitCode = MISUSED;
      else exitWithError(usageError(error));
    } else {
      exitWithError(error);
    }
    // What a failed command has left open, such as a timer of a performer's file, must not keep the process alive.
    endWithin(LINGER_MS);
  }
}

// The reader of a pipe may close it early: `reprise replay <id> | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

await run(process.argv.slice(2));
