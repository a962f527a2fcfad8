import { Command } from 'commander';
import { duration, jsonOption, namespaceOption, natsOption } from '../arguments.js';
import type { SubmitFlags } from '../jobs/submit.js';
import { jobOptions } from '../jobs/submit-flags.js';

const EXAMPLE = `
Examples:
  reprise submit square '{"n":12}' --wait
  reprise submit resize @photo.png --queue images --priority 5 --attempts 5 --timeout 2m
  cat order.json | reprise submit ship - --key order-17

The payload is JSON, sent as it is written. @file and - (stdin) are taken as JSON if they are, otherwise as bytes.
`;

export function submitCommand(): Command {
  const command = new Command('submit')
    .description('submit a job')
    .argument('<type>', 'which performer does it')
    .argument('[payload]', 'JSON, @file, or - for stdin');
  for (const option of jobOptions()) command.addOption(option);
  return command
    .option('--wait', 'wait for the result and print it; the status is 1 if the job did not complete')
    .option('--wait-timeout <time>', 'with --wait: how long to wait at most (default: 1h)', duration)
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print the whole answer as JSON, with the result as it is stored'))
    .addHelpText('after', EXAMPLE)
    .action(async (type: string, payload: string | undefined, flags: SubmitFlags) => {
      const { runSubmit } = await import('../jobs/submit.js');
      await runSubmit(type, payload, flags);
    });
}
