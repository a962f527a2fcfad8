import { Command } from 'commander';
import { duration, filled, jsonOption, label, namespaceOption, natsOption, whole, type Where } from '../arguments.js';

const EXAMPLE = `
Examples:
  reprise submit square '{"n":12}' --wait
  reprise submit resize @photo.png --queue images --priority 5 --attempts 5 --timeout 2m
  cat order.json | reprise submit ship - --key order-17

The payload is JSON, sent as it is written. @file and - (stdin) are taken as JSON if they are, otherwise as bytes.
`;

export interface SubmitFlags extends Where {
  readonly queue?: string;
  readonly priority?: number;
  readonly key?: string;
  readonly commandId?: string;
  readonly delay?: number;
  readonly attempts?: number;
  readonly timeout?: number;
  readonly label?: Readonly<Record<string, string>>;
  readonly wait?: true;
  readonly waitTimeout?: number;
  readonly json?: true;
}

const PRIORITY = 1_000_000_000;

export const submitCommand = (): Command =>
  new Command('submit')
    .description('submit a job')
    .argument('<type>', 'which performer does it')
    .argument('[payload]', 'JSON, @file, or - for stdin')
    .option('--queue <name>', 'the line to stand in (default: "default")', filled)
    .option('--priority <number>', 'higher goes first (default: 0)', whole(-PRIORITY, PRIORITY))
    .option('--key <text>', 'unique in its queue: the same key is the same job', filled)
    .option('--command-id <text>', 'makes the command repeatable: the same id is the same job (default: drawn)', filled)
    .option('--delay <time>', 'not before this time has passed: 500ms, 5s, 2m, 1h', duration)
    .option('--attempts <count>', 'how often it is tried at most (default: 3)', whole(1, 1_000))
    .option('--timeout <time>', 'how long one attempt may take (default: 30m; 0: no limit)', duration)
    .option('--label <name=value>', 'a label; may be given several times', label)
    .option('--wait', 'wait for the result and print it; the status is 1 if the job did not complete')
    .option('--wait-timeout <time>', 'with --wait: how long to wait at most (default: 1h)', duration)
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print the whole answer as JSON, with the result as it is stored'))
    .addHelpText('after', EXAMPLE)
    .action(async (type: string, payload: string | undefined, flags: SubmitFlags) => (await import('../jobs/submit.js')).runSubmit(type, payload, flags));
