/** `reprise demo`, also `npm start`: runs the whole system on this machine with real work, and verifies the results. */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { connectClient } from '../../sdk/client.js';
import { durabilityOf } from '../../streams/durability.js';
import type { Where } from '../arguments.js';
import { interruptible, quietUnlessJson } from '../dev/run.js';
import { runningServer } from '../locate.js';
import { logger } from '../log.js';
import { EXAMPLES_FOLDER } from '../self.js';
import { INTERRUPTED, untilStopRequested } from '../shutdown.js';
import { startStack, type Stack } from '../supervisor/stack.js';
import { note, print } from '../terminal.js';
import { chooseFiles, type Wanted } from './files.js';
import { readJournal } from './journal-reader.js';
import { progress } from './progress.js';
import { submitAll } from './submit.js';
import { printSummary, summaryOf, type Outcome, type Summary } from './summary.js';
import { verify } from './verify.js';

export interface DemoFlags extends Where {
  readonly exit?: true;
  readonly data?: string;
  readonly port?: number;
  readonly bytes?: number;
  readonly least?: number;
}

const NAMESPACE = 'default' as Namespace;
const PARTITION = 0 as Partition;
const WORKERS = 2;
const CONCURRENCY = 8;
/**
 * Brotli at quality 11 compresses about 0.75 MB of such files per second and core. So much takes two idle cores 22
 * seconds, and busy ones up to 40; verifying, which compresses again, takes somewhat less.
 */
const WANTED: Wanted = { bytes: 28_000_000, least: 2_000 };

export async function runDemo(flags: DemoFlags): Promise<void> {
  const stopRequested = untilStopRequested();
  quietUnlessJson(false);
  const url = runningServer(flags);
  const dataDir = flags.data ?? (await mkdtemp(join(tmpdir(), 'reprise-demo-')));
  // On any exit: the server has stopped by then, or is about to end with this process.
  if (flags.data === undefined) process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }));
  const end = async (stack: Stack, code: number): Promise<never> => {
    await stack.stop();
    process.exit(code);
  };
  const stack = await interruptible(start(url, flags.port, dataDir), stopRequested);
  print(`Server, broker and ${WORKERS} workers run at ${stack.nats}.`);
  const interrupted = stopRequested.then(() => undefined);
  const summary = await Promise.race([work(stack, flags), interrupted]).catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  if (summary === undefined) return end(stack, INTERRUPTED);
  const code = isWhole(summary) ? 0 : 1;
  if (flags.exit) return end(stack, code);
  note('The system keeps running until Ctrl-C.');
  await stopRequested;
  return end(stack, code);
}

function start(url: string | undefined, port: number | undefined, dataDir: string): Promise<Stack> {
  return startStack({
    namespace: NAMESPACE,
    url,
    port,
    dataDir,
    partitions: 1,
    workers: WORKERS,
    concurrency: CONCURRENCY,
    performers: [EXAMPLES_FOLDER],
    log: logger('demo'),
  });
}

async function work(stack: Stack, { bytes = WANTED.bytes, least = WANTED.least }: DemoFlags): Promise<Summary> {
  const files = await chooseFiles({ bytes, least });
  const client = await connectClient({ url: stack.nats, namespace: NAMESPACE, name: 'reprise demo', giveUpMs: 30_000 });
  try {
    print(`Compressing ${files.length} files of node_modules, each as a job.`);
    const working = progress('compressing', files.length);
    const started = performance.now();
    const submitted = await submitAll(client, files, working.update);
    const tookMs = performance.now() - started;
    working.end();
    const checking = progress('verifying', files.length);
    const recorded = await readJournal(stack.brokerUrl, NAMESPACE, PARTITION);
    const verification = await verify(submitted, recorded, checking.update);
    checking.end();
    const outcome: Outcome = { submitted, verification, tookMs, durability: await durabilityOf(stack.monitoring) };
    const summary = summaryOf(outcome);
    printSummary(summary, outcome);
    return summary;
  } finally {
    await client.close();
  }
}

const isWhole = ({ jobs, completed, verified }: Summary): boolean =>
  jobs > 0 && completed === jobs && verified === jobs;
