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

/** Without what follows a word that names no command: the parser would show help for `reprise nonsense --help`, but of what? */
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
      // Asked for nothing, it has printed its help, and nothing was done.
      if (error.exitCode === 0) return;
      if (error.code === 'commander.help') process.exitCode = MISUSED;
      else endWith(usage(error));
    } else {
      endWith(error);
    }
    // What a command that failed has left open, such as a timer of a performer's file, must not keep it from ending.
    endWithin(LINGER_MS);
  }
}

// Whoever reads us may have seen enough: `reprise replay <id> | head`.
process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

await run(process.argv.slice(2));
