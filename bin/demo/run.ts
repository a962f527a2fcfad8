/** The demo, started by `npm start`: the whole system on this machine, real work, and a check of everything that came of it. */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Namespace, Partition } from '../../protocols/ids.js';
import { connectClient } from '../../sdk/client.js';
import { durabilityOf } from '../../streams/durability.js';
import type { DemoFlags } from '../commands/demo.js';
import { interruptible, quietUnlessJson } from '../dev/run.js';
import { runningServer } from '../locate.js';
import { logger } from '../log.js';
import { EXAMPLES_FOLDER } from '../self.js';
import { untilAsked } from '../shutdown.js';
import { startStack, type Stack } from '../supervisor/stack.js';
import { note, print } from '../terminal.js';
import { chooseFiles, type Wanted } from './files.js';
import { readJournal } from './journal-reader.js';
import { progress } from './progress.js';
import { submitAll } from './submit.js';
import { printSummary, summaryOf, type Outcome, type Summary } from './summary.js';
import { verify } from './verify.js';

const NAMESPACE = 'default' as Namespace;
const PARTITION = 0 as Partition;
const WORKERS = 2;
const CONCURRENCY = 8;
/**
 * Brotli at quality 11 compresses some 0.75 MB of such files in a second of a core. This takes two idle cores 22 seconds
 * and busy ones up to 40; computing it again, to compare, takes somewhat less.
 */
const WANTED: Wanted = { bytes: 28_000_000, least: 2_000 };
const INTERRUPTED = 130;

export async function runDemo(flags: DemoFlags): Promise<void> {
  const asked = untilAsked();
  quietUnlessJson(false);
  const url = runningServer(flags);
  const dataDir = flags.data ?? (await mkdtemp(join(tmpdir(), 'reprise-demo-')));
  // However this ends; the server is gone by then, or about to go with this process.
  if (flags.data === undefined) process.once('exit', () => rmSync(dataDir, { recursive: true, force: true }));
  const end = async (stack: Stack, code: number): Promise<never> => {
    await stack.stop();
    process.exit(code);
  };
  const stack = await interruptible(start(url, flags.port, dataDir), asked);
  print(`Server, broker and ${WORKERS} workers run at ${stack.nats}.`);
  const interrupted = asked.then(() => undefined);
  const summary = await Promise.race([work(stack, flags), interrupted]).catch(async (error: unknown) => {
    await stack.stop();
    throw error;
  });
  if (summary === undefined) return end(stack, INTERRUPTED);
  const code = isWhole(summary) ? 0 : 1;
  if (flags.exit) return end(stack, code);
  note('It stays up until Ctrl-C.');
  await asked;
  return end(stack, code);
}

function start(url: string | undefined, port: number | undefined, dataDir: string): Promise<Stack> {
  const parts = { namespace: NAMESPACE, partitions: 1, workers: WORKERS, concurrency: CONCURRENCY, performers: [EXAMPLES_FOLDER], log: logger('demo') };
  return startStack({ ...parts, url, port, dataDir });
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
    const verification = await verify(submitted, await readJournal(stack.brokerUrl, NAMESPACE, PARTITION), checking.update);
    checking.end();
    const outcome: Outcome = { submitted, verification, tookMs, durability: await durabilityOf(stack.monitoring) };
    const summary = summaryOf(outcome);
    printSummary(summary, outcome);
    return summary;
  } finally {
    await client.close();
  }
}

const isWhole = ({ jobs, completed, verified }: Summary): boolean => jobs > 0 && completed === jobs && verified === jobs;
