import { Command } from 'commander';
import { namespaceOption, names, natsOption, whole, type Where } from '../arguments.js';

const EXAMPLE = `
Example:
  reprise worker ./performers --concurrency 20 --queues default,images

A performer is a file with a default export:
  import { performer } from "reprise";
  export default performer("square", async ({ n }) => n * n);
`;

export interface WorkerFlags extends Where {
  readonly concurrency: number;
  readonly queues?: readonly string[];
  readonly id?: string;
}

export const workerCommand = (): Command =>
  new Command('worker')
    .description('perform jobs with the performers in files or folders')
    .argument('<paths...>', 'files (.js, .mjs, .ts) with performers, or folders of them')
    .addOption(natsOption())
    .addOption(namespaceOption())
    .option('--concurrency <count>', 'how many jobs at a time', whole(1, 10_000), 10)
    .option('--queues <names>', 'only jobs of these queues, separated by commas (default: all)', names)
    .option('--id <name>', 'the name of this worker (default: drawn)')
    .addHelpText('after', EXAMPLE)
    .action(async (paths: string[], flags: WorkerFlags) => (await import('../run-worker.js')).runWorker(paths, flags));
