import { Command } from 'commander';
import { filled, jsonOption, namespaceOption, natsOption } from '../arguments.js';
import type { BackupFlags } from '../backup/run.js';

const EXAMPLE = `
Examples:
  reprise backup ./backup
  reprise backup "s3://bucket/reprise?region=eu-central-1"    credentials are taken from the environment
  reprise backup ./backup --archive ./archive                 journals that were truncated into an archive

Jobs go on meanwhile. The backup has the commits of every journal, the newest snapshots, and a manifest, which is
written last; without it there is no backup. Run again, the command adds what is new, also after it was interrupted.
The archive of the namespace may be given as the location: then only what it lacks is written.

What tokens are signed with is a secret, and is left out unless --with-keys is given. Without it workers register again
after a restore, and the attempts that they were running count as lost.
`;

export const backupCommand = (): Command =>
  new Command('backup')
    .description('make a consistent copy of a running namespace, in a folder or an S3-compatible store')
    .argument('<location>', 'a folder, file:///…, or s3://bucket/prefix?endpoint=…&region=…', filled)
    .option('--archive <location>', 'the archive of the namespace, if it is another place', filled)
    .option('--with-keys', 'also the keys that tokens are signed with; keep such a backup as secret as the server')
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print what was made as one line of JSON'))
    .addHelpText('after', EXAMPLE)
    .action(async (location: string, flags: BackupFlags) => {
      await (await import('../backup/run.js')).runBackup(location, flags);
    });
