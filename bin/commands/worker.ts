import { Command } from 'commander';
import { LIMITS } from '../../protocols/limits.js';
import { duration, namespaceOption, names, natsOption, weight, whole } from '../arguments.js';
import type { WorkerFlags } from '../run-worker.js';

const EXAMPLE = `
Example:
  reprise worker ./performers --concurrency 20 --queues default,images
  reprise worker ./render.js --capabilities '{"hardware":{"gpuMemoryGb":24},"models":["sdxl"],"region":"us"}'
  reprise worker ./render.js --capabilities @worker.json      # read again when it changes
  reprise worker ./render.js --grace 5m                       # SIGTERM: 5 minutes, then the rest is handed back

A performer is a file with a default export:
  import { performer } from "reprise";
  export default performer("square", async ({ n }) => n * n);
`;

export const workerCommand = (): Command =>
  new Command('worker')
    .description('run a worker with the performers of files or folders')
    .argument('<paths...>', 'files (.js, .mjs, .ts) with performers, or folders of them')
    .addOption(natsOption())
    .addOption(namespaceOption())
    .option('--concurrency <count>', 'how many jobs run at the same time', whole(1, LIMITS.free), 10)
    .option('--queues <names>', 'only jobs of these queues, separated by commas (default: all)', names)
    .option('--weight <queue=number>', 'turns of a queue, where others get one; may be given several times', weight)
    .option('--capabilities <json>', 'what this worker has, for jobs that require it: a JSON object, or @<file>')
    .option('--id <name>', 'the name of this worker (default: random)')
    .option('--grace <time>', 'how long jobs run on when it is stopped; then it hands them back', duration, 10_000)
    .addHelpText('after', EXAMPLE)
    .action(async (paths: string[], flags: WorkerFlags) => (await import('../run-worker.js')).runWorker(paths, flags));
