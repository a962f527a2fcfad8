/** `reprise dev`: runs server, broker and workers on this machine until Ctrl-C. */
import { resolve } from 'node:path';
import type { Where } from '../arguments.js';
import { namespaceOf, runningServer } from '../locate.js';
import { logger } from '../log.js';
import { COMMAND } from '../self.js';
import { INTERRUPTED, untilStopRequested } from '../shutdown.js';
import { startStack, type Stack } from '../supervisor/stack.js';
import { note, paint, print } from '../terminal.js';
import { performerFolders } from './performers.js';
import { Serving } from './serving.js';

export interface DevFlags extends Where {
  readonly performers?: string;
  readonly port?: number;
  readonly data?: string;
  readonly partitions: number;
  readonly workers: number;
  readonly concurrency: number;
  readonly json?: true;
}

const DATA_FOLDER = './.reprise/data';

export async function runDev(flags: DevFlags): Promise<void> {
  const stopRequested = untilStopRequested();
  quietUnlessJson(flags.json === true);
  const namespace = namespaceOf(flags.namespace ?? (process.env['REPRISE_NAMESPACE'] || undefined));
  const folders = performerFolders(flags.performers);
  const log = logger('dev');
  const { port, partitions, workers, concurrency, data: dataDir = DATA_FOLDER } = flags;
  const url = runningServer(flags);
  const performers = folders.current();
  const options = { namespace, url, port, dataDir, partitions, workers, concurrency, log };
  const stack = await interruptible(startStack({ ...options, performers: [performers] }), stopRequested);
  if (flags.json) print(JSON.stringify({ nats: stack.nats, namespace, pids: stack.pids }));
  else printOverview(stack, performers, resolve(dataDir), partitions);
  const printChange = (line: string): void => (flags.json ? log.info(line) : note(line));
  const serving = workers > 0 ? new Serving(stack, folders, performers, printChange) : undefined;
  const why = await stopRequested;
  serving?.stop();
  if (!flags.json) note(why === 'SIGINT' ? '\nStopping workers, broker and server …' : 'Stopping …');
  await stack.stop();
  process.exit(0);
}

/** During the start Ctrl-C exits at once; children end with this process. */
export async function interruptible<T>(starting: Promise<T>, stopRequested: Promise<unknown>): Promise<T> {
  let started = false;
  void stopRequested.then(() => started || process.exit(INTERRUPTED));
  const result = await starting;
  started = true;
  return result;
}

/** Without --json stderr is mixed with the output on the terminal, so only warnings are logged. */
export function quietUnlessJson(json: boolean): void {
  process.env['REPRISE_LOG'] ??= json ? 'info' : 'warn';
}

/** The arguments of a submit that the workers can perform. */
function example(serves: readonly string[]): string {
  return serves.length === 0 || serves.includes('square') ? `square '{"n":12}'` : `${serves[0]} '<payload>'`;
}

function printOverview({ nats, pids, serves }: Stack, performers: string, dataDir: string, partitions: number): void {
  print(`${paint('green', 'Reprise is running')} at ${paint('bold', nats)}`);
  print(`  server     ${pids.server === null ? 'not started here' : `process ${pids.server}, data in ${dataDir}`}`);
  print(`  broker     process ${pids.broker}, ${partitions} ${partitions === 1 ? 'partition' : 'partitions'}`);
  const workers = `process ${pids.workers.join(', ')}, performing ${serves.join(', ')} of ${performers}`;
  print(`  workers    ${pids.workers.length === 0 ? 'none' : workers}`);
  print('Try, in another terminal of this folder:');
  print(`  ${paint('cyan', `${COMMAND} submit ${example(serves)} --wait`)}`);
  print(`  ${paint('cyan', `${COMMAND} jobs watch <id>`)}   or   ${paint('cyan', `${COMMAND} replay <id>`)}`);
  print(`  ${paint('cyan', `${COMMAND} doctor`)}`);
  print('Ctrl-C stops it.');
}
