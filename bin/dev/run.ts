/** `reprise dev`: everything on this machine until Ctrl-C. */
import { resolve } from 'node:path';
import type { DevFlags } from '../commands/dev.js';
import { namespaceOf, runningServer } from '../locate.js';
import { logger } from '../log.js';
import { COMMAND } from '../self.js';
import { untilAsked } from '../shutdown.js';
import { startStack, type Stack } from '../supervisor/stack.js';
import { note, paint, print } from '../terminal.js';
import { performerFolders } from './performers.js';
import { Serving } from './serving.js';

const DATA_FOLDER = './.reprise/data';

export async function runDev(flags: DevFlags): Promise<void> {
  const asked = untilAsked();
  quietUnlessJson(flags.json === true);
  const namespace = namespaceOf(flags.namespace ?? (process.env['REPRISE_NAMESPACE'] || undefined));
  const folders = performerFolders(flags.performers);
  const log = logger('dev');
  const { port, partitions, workers, concurrency, data: dataDir = DATA_FOLDER } = flags;
  const url = runningServer(flags);
  const performers = folders.current();
  const stack = await interruptible(startStack({ namespace, url, port, dataDir, partitions, workers, concurrency, performers: [performers], log }), asked);
  if (flags.json) print(JSON.stringify({ nats: stack.nats, namespace, pids: stack.pids }));
  else greet(stack, performers, resolve(dataDir), partitions);
  const serving = workers > 0 ? new Serving(stack, folders, performers, (line) => (flags.json ? log.info(line) : note(line))) : undefined;
  const why = await asked;
  serving?.stop();
  if (!flags.json) note(why === 'SIGINT' ? '\nEnding: workers, broker, server …' : 'Ending …');
  await stack.stop();
  process.exit(0);
}

/** Nobody who presses Ctrl-C while things start wants to wait for them: children end with this process. */
export async function interruptible<T>(starting: Promise<T>, asked: Promise<unknown>): Promise<T> {
  let started = false;
  void asked.then(() => started || process.exit(130));
  const result = await starting;
  started = true;
  return result;
}

/** People see troubles only; machines, which keep stderr apart, see everything. */
export function quietUnlessJson(json: boolean): void {
  process.env['REPRISE_LOG'] ??= json ? 'info' : 'warn';
}

/** What a worker of this `dev` can do. */
const example = (serves: readonly string[]): string => (serves.length === 0 || serves.includes('square') ? `square '{"n":12}'` : `${serves[0]} '<payload>'`);

function greet({ nats, pids, serves }: Stack, performers: string, dataDir: string, partitions: number): void {
  print(`${paint('green', 'Reprise is running')} at ${paint('bold', nats)}`);
  print(`  server     ${pids.server === null ? 'yours' : `process ${pids.server}, data in ${dataDir}`}`);
  print(`  broker     process ${pids.broker}, ${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`);
  print(`  workers    ${pids.workers.length === 0 ? 'none' : `process ${pids.workers.join(', ')}, performing ${serves.join(', ')} of ${performers}`}`);
  print('Try, in another terminal of this folder:');
  print(`  ${paint('cyan', `${COMMAND} submit ${example(serves)} --wait`)}`);
  print(`  ${paint('cyan', `${COMMAND} jobs watch <id>`)}   or   ${paint('cyan', `${COMMAND} replay <id>`)}`);
  print(`  ${paint('cyan', `${COMMAND} doctor`)}`);
  print('Ctrl-C ends it.');
}
