/** `reprise dev`: everything on this machine until Ctrl-C. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { RepriseError } from '../../protocols/errors.js';
import type { DevFlags } from '../commands/dev.js';
import { namespaceOf } from '../locate.js';
import { logger } from '../log.js';
import { COMMAND, EXAMPLES_FOLDER } from '../self.js';
import { untilAsked } from '../shutdown.js';
import { startStack, type Stack } from '../supervisor/stack.js';
import { note, paint, print } from '../terminal.js';
import { onChange } from './watch.js';

const OWN_PERFORMERS = './performers';

export async function runDev(flags: DevFlags): Promise<void> {
  const asked = untilAsked();
  quietUnlessJson(flags.json === true);
  const namespace = namespaceOf(flags.namespace ?? (process.env['REPRISE_NAMESPACE'] || undefined));
  const performers = performersOf(flags.performers);
  const log = logger('dev');
  const { port, partitions, workers, concurrency, nats } = flags;
  const url = nats ?? (process.env['REPRISE_NATS_URL'] || undefined);
  const starting = startStack({ namespace, url, port, dataDir: flags.data, partitions, workers, concurrency, performers: [performers], log });
  const stack = await interruptible(starting, asked);
  if (flags.json) print(JSON.stringify({ nats: stack.nats, namespace, pids: stack.pids }));
  else greet(stack, performers, flags);
  const stopWatching = onChange(performers, () => {
    if (!flags.json) note('A performer changed: the workers are replaced.');
    void stack.reload();
  });
  const why = await asked;
  stopWatching();
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

function performersOf(given: string | undefined): string {
  const folder = resolve(given ?? (existsSync(OWN_PERFORMERS) ? OWN_PERFORMERS : EXAMPLES_FOLDER));
  if (existsSync(folder)) return folder;
  throw new RepriseError('USAGE', `There is no ${folder}.`, { hint: 'Give the folder of your performers with --performers.' });
}

function greet({ nats, pids }: Stack, performers: string, flags: DevFlags): void {
  print(`${paint('green', 'Reprise is running')} at ${paint('bold', nats)}`);
  print(`  server     ${pids.server === null ? 'yours' : `process ${pids.server}, data in ${resolve(flags.data)}`}`);
  print(`  broker     process ${pids.broker}, ${flags.partitions} ${flags.partitions === 1 ? 'partition' : 'partitions'}`);
  print(`  workers    ${pids.workers.length === 0 ? 'none' : `process ${pids.workers.join(', ')}, performers in ${performers}`}`);
  print('Try, in another terminal of this folder:');
  print(`  ${paint('cyan', `${COMMAND} submit square '{"n":12}' --wait`)}`);
  print(`  ${paint('cyan', `${COMMAND} jobs watch <id>`)}   or   ${paint('cyan', `${COMMAND} replay <id>`)}`);
  print(`  ${paint('cyan', `${COMMAND} doctor`)}`);
  print('Ctrl-C ends it.');
}
