import { Command } from 'commander';
import { MAX_PARTITIONS } from '../../protocols/ids.js';
import { LIMITS } from '../../protocols/limits.js';
import { filled, jsonOption, namespaceOption, natsOption, portOption, whole } from '../arguments.js';
import type { DevFlags } from '../dev/run.js';

const EXAMPLE = `
Example:
  reprise dev --performers ./performers --workers 2

Then, in another terminal of the same folder:
  reprise submit square '{"n":12}' --wait

Workers are replaced when a performer file changes, or when ./performers is created. Ctrl-C stops the workers, the
broker and the server, in this order. With --nats no server is started, so --port and --data cannot be given.
`;

export const devCommand = (): Command =>
  new Command('dev')
    .description('run server, broker and workers on this machine, and restart what dies')
    .option('--performers <folder>', 'folder of performers (default: ./performers if not empty, else examples)', filled)
    .addOption(portOption())
    .option('--data <folder>', 'data folder of the server (default: "./.reprise/data")', filled)
    .option('--partitions <count>', 'how many partitions the namespace has', whole(1, MAX_PARTITIONS), 1)
    .option('--workers <count>', 'how many worker processes', whole(0, 64), 1)
    .option('--concurrency <count>', 'how many jobs each runs at the same time', whole(1, LIMITS.free), 10)
    .addOption(natsOption())
    .addOption(namespaceOption())
    .addOption(jsonOption('print addresses and process ids as one line of JSON once everything is ready'))
    .addHelpText('after', EXAMPLE)
    .action(async (flags: DevFlags) => (await import('../dev/run.js')).runDev(flags));
