import { Command, Option } from 'commander';
import { filled, jsonOption, namespaceOption } from '../arguments.js';
import type { ListFlags } from '../archive/list.js';
import type { ArchiveFlags } from '../archive/location.js';

const EXAMPLE = `
Examples:
  reprise archive ls --archive ./archive
  reprise archive ls --archive ./archive --jobs         also counts the jobs, which reads every segment
  reprise archive verify --archive 's3://backups/reprise?endpoint=https://s3.example.org&region=eu-1'

Without --archive it is that of REPRISE_ARCHIVE, or of a \`reprise dev\` that runs in this folder or above. Neither a
server nor a broker is needed. Credentials of an S3-compatible store come from the environment, as its client
finds them: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. The archive is not altered.
`;

export function archiveCommand(): Command {
  const subcommand = (name: string, description: string, printed: string): Command =>
    new Command(name)
      .description(description)
      .addOption(archiveOption())
      .addOption(namespaceOption())
      .addOption(jsonOption(`print ${printed} as one line of JSON`))
      .addHelpText('after', EXAMPLE);
  const ls = subcommand('ls', 'list the archived journals: segments, positions, sizes', 'them')
    .option('--jobs', 'also count the jobs, and the bytes that each takes')
    .action(async (flags: ListFlags) => (await import('../archive/list.js')).runList(flags));
  const verify = subcommand('verify', 'read all of it and check it', 'the findings')
    .action(async (flags: ArchiveFlags) => (await import('../archive/verify.js')).runVerify(flags));
  return new Command('archive')
    .description('look at an archive of journals: ls, verify')
    .addCommand(ls)
    .addCommand(verify)
    .addHelpText('after', EXAMPLE);
}

const archiveOption = (): Option =>
  new Option('--archive <location>', 'a folder, file:///…, or s3://bucket/prefix?endpoint=…&region=…')
    .argParser(filled);
