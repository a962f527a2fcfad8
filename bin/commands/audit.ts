import { Command, Option } from 'commander';
import { filled, jsonOption, namespaceOption, natsOption } from '../arguments.js';
import type { VerifyFlags } from '../audit/run.js';

const EXAMPLE = `
Examples:
  reprise audit verify                        the running server
  reprise audit verify --data ./backup/data   a data folder, or better a copy of one; it is not altered

It finds commits that are lost or changed: the chain of hashes has no gap, and every known head is in it, those of the
witness and the checkpoints of projections. Payloads, results and texts that were removed are listed; one that was changed
is a finding. It says what vouches for each journal; an empty witness is a finding.
Whoever can rewrite the whole folder is found out only by a head that is kept elsewhere.
`;

export function auditCommand(): Command {
  const verify = new Command('verify')
    .description('check that no journal lost or changed a commit')
    .addOption(new Option('--data <folder>', 'the data folder of a server instead of a running one; works on a copy of its own').argParser(filled).conflicts(['nats', 'namespace']))
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print the report as one line of JSON'))
    .addHelpText('after', EXAMPLE)
    .action(async (flags: VerifyFlags) => (await import('../audit/run.js')).runVerify(flags));
  return new Command('audit').description('check the journals: verify').addCommand(verify).addHelpText('after', EXAMPLE);
}
