/**
 * Verifies a data folder without changing it. A server that starts on a damaged folder repairs it, which destroys
 * evidence, so the server is started on a copy.
 */
import { cp, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { RepriseError } from '../protocols/errors.js';
import type { Namespace, Partition } from '../protocols/ids.js';
import type { Finding } from './partition.js';
import { startOnCopy } from './recovery.js';
import { complete, journalNamed, verifyServer } from './server.js';

/** Files of the server process; they hold no stored data. */
const NOT_COPIED: ReadonlySet<string> = new Set([
  'server.lock', 'ports', 'broker.secret', 'nats-server.log', 'nats-server.out',
]);
/** Where `reprise dev` keeps the archive. It is read where it is. */
const ARCHIVE = 'archive';

/** @param archive its location; by default the folder beside the data, else the one that brokers recorded */
export async function verifyFolder(given: string, archive?: string): Promise<Finding[]> {
  const folder = resolve(given);
  const journals = await journalsIn(folder);
  const copy = await mkdtemp(join(tmpdir(), 'reprise-audit-'));
  try {
    const beside = join(folder, ARCHIVE);
    const filter = (path: string): boolean => path !== beside && !NOT_COPIED.has(basename(path));
    await cp(folder, copy, { recursive: true, filter });
    const found = existsSync(beside) ? beside : undefined;
    return await verifyCopy(copy, journals, archive ?? found);
  } finally {
    await rm(copy, { recursive: true, force: true });
  }
}

async function verifyCopy(
  copy: string, journals: ReadonlyMap<Namespace, Partition[]>, archive: string | undefined,
): Promise<Finding[]> {
  const server = await startOnCopy(copy);
  try {
    const findings: Finding[] = [];
    for (const [namespace, partitions] of journals) {
      const wanted = complete(partitions);
      findings.push(...(await verifyServer(server.brokerUrl, namespace, { wanted, archive })));
    }
    return findings;
  } finally {
    await server.stop();
  }
}

/** By the names of folders, so that a stream that the server does not recover is found missing. */
async function journalsIn(folder: string): Promise<Map<Namespace, Partition[]>> {
  if (!(await stat(folder).catch(() => undefined))?.isDirectory()) {
    const hint = 'Give the data folder that `reprise dev` was started with.';
    throw new RepriseError('USAGE', `${folder} is no folder that can be read.`, { hint });
  }
  const found = new Map<Namespace, Partition[]>();
  for (const path of await readdir(folder, { recursive: true })) {
    const journal = /[\\/]streams[\\/][^\\/]+$/.test(path) ? journalNamed(basename(path)) : undefined;
    if (journal) found.set(journal.namespace, [...(found.get(journal.namespace) ?? []), journal.partition]);
  }
  if (found.size > 0) return found;
  const hint = 'Give the data folder that `reprise dev` was started with; it holds a folder called jetstream.';
  throw new RepriseError('NOT_FOUND', `There is no journal in ${folder}.`, { hint });
}
