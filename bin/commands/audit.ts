import { Command, Option } from 'commander';
import { archiveOption, filled, jsonOption, namespaceOption, natsOption } from '../arguments.js';
import type { VerifyFlags } from '../audit/run.js';

const EXAMPLE = `
Examples:
  reprise audit verify                        the running server
  reprise audit verify --data ./backup/data   a data folder, or better a copy of one; it is not altered

It finds commits that are lost or changed: the chain of hashes must have no gap, and must contain every known head, of
the witness and of the checkpoints of projections. Payloads, results and texts that were removed are listed; one that
was changed is a finding, and so is an empty witness. The sources of known heads are listed for each journal. For the
beginning of a truncated journal its archive, which is then verified as well, or a snapshot must vouch.
If the whole folder was rewritten, only a head that is kept elsewhere shows it.
`;

function dataOption(): Option {
  const description = 'the data folder of a server instead of a running one; works on a copy';
  return new Option('--data <folder>', description).argParser(filled).conflicts(['nats', 'namespace']);
}

export function auditCommand(): Command {
  const verify = new Command('verify')
    .description('check that no journal lost or changed a commit')
    .addOption(dataOption())
    .addOption(archiveOption())
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print the report as one line of JSON'))
    .addHelpText('after', EXAMPLE)
    .action(async (flags: VerifyFlags) => (await import('../audit/run.js')).runVerify(flags));
  return new Command('audit')
    .description('check the journals: verify')
    .addCommand(verify)
    .addHelpText('after', EXAMPLE);
}
