import { Command, InvalidArgumentError } from 'commander';
import { parseTo, type To } from '../../streams/restore/to.js';
import { filled, jsonOption, namespaceOption, natsOption, whole } from '../arguments.js';
import type { RestoreFlags } from '../restore/run.js';

const EXAMPLE = `
Examples:
  reprise restore ./backup                               what the newest backup reaches
  reprise restore ./backup --to 2026-03-01T12:00:00Z --archive ./archive-2
  reprise restore ./backup --to 0:4711 --full            up to that position of partition 0
  reprise restore ./backup --to end                      also what an archiver has added since
  reprise restore ./backup --namespace copy              beside the namespace, on the same server or another one

The server must not have the namespace. No broker leads it before the restore has ended; if it was interrupted, run it
again with the same options. The streams get the commits from the newest snapshot on. What is before is read from the
archive, which brokers must be given: the location that is printed. With --full the streams get all commits.

With --to all partitions are restored to prefixes that fit each other. The journals go on from there with a record of
the restore: what the namespace did after the backup is another history, and needs another place for archive and
backups.
`;

function to(text: string): To {
  const parsed = parseTo(text);
  if (parsed !== undefined) return parsed;
  throw new InvalidArgumentError('A position like 0:4711, a time like 2026-03-01T12:00:00Z, or "end" is needed.');
}

export const restoreCommand = (): Command =>
  new Command('restore')
    .description('build a namespace from a backup, on a server that does not have it')
    .argument('<location>', 'where the backup is', filled)
    .option('--to <position|time>', 'not to the end of the backup: <partition>:<position>, a time, or "end"', to)
    .option('--full', 'put all commits into the streams')
    .option('--archive <location>', 'where the archive of the restored namespace is to be', filled)
    .option('--from <namespace>', 'the namespace that the backup was made of, if it has another name', filled)
    .option('--start-over', 'discard what an earlier restore has made that did not end')
    .option('--replicas <count>', 'replicas of each stream', whole(1, 5), 1)
    .option('--reason <text>', 'why; it is recorded in the journals', filled)
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print what was made as one line of JSON'))
    .addHelpText('after', EXAMPLE)
    .action(async (location: string, flags: RestoreFlags) =>
      (await import('../restore/run.js')).runRestore(location, flags));
