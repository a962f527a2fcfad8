/**
 * The process of the archiver. Its life hangs on its channel: it ends when its broker does, however that ends, at any
 * moment. What it had not finished is named by no manifest.
 */
import { readdirSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import type { FromArchiver, ToArchiver } from './messages.js';
import { Partitions } from './partitions.js';
import { tryRead } from '../../protocols/try-read.js';

yieldToOthers();
let partitions: Partitions | undefined;
process.on('disconnect', () => process.exit(0));
// A signal of a terminal goes to all of its processes. The broker decides when this one ends.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.on('message', (message: ToArchiver) => {
  if (message.kind === 'begin') partitions = new Partitions(message, report);
  else if (message.kind === 'retain') partitions?.retain(message.partition, message.order);
  else partitions?.[message.kind](message.partition);
});

function report(message: FromArchiver): void {
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

/** On Linux each thread has a priority of its own. Those that are started later get that of this one. */
function yieldToOthers(): void {
  const threads = tryRead(() => readdirSync('/proc/self/task').map(Number)) ?? [];
  for (const thread of [0, ...threads]) tryRead(() => setPriority(thread, constants.priority.PRIORITY_LOW));
}
