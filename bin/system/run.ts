/** `reprise system` */
import type { Where } from '../arguments.js';
import { onServer } from '../server.js';
import { print } from '../terminal.js';
import { figuresOf } from './figures.js';
import { figuresJson, linesOf } from './lines.js';

export interface SystemFlags extends Where {
  readonly json?: true;
}

export async function runSystem(flags: SystemFlags): Promise<void> {
  const partitions = await onServer(flags, 'system', ({ nc, namespace }) => figuresOf(nc, namespace));
  if (flags.json) return print(JSON.stringify({ partitions: partitions.map(figuresJson) }));
  const nowMs = Date.now();
  for (const figures of partitions) for (const line of linesOf(figures, nowMs)) print(line);
}
