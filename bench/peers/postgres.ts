/** Starts a PostgreSQL cluster in a temporary folder on loopback, with default settings. */
import { execFile } from 'node:child_process';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { startHeld, type HeldProcess } from '../processes/held.js';
import { freePort, LOOPBACK } from '../processes/port.js';
import { findProgram, outputOf, postgresFolders } from '../processes/programs.js';
import type { Scope } from '../processes/scope.js';
import { deadline, until } from '../processes/until.js';

export interface PostgresServer {
  readonly url: string;
  readonly pid: number;
  /** For queries of the harness. */
  readonly connection: pg.Client;
}

const START_WITHIN_MS = 20_000;
const USER = 'bench';

export const findPostgres = async (): Promise<string | undefined> => findProgram('postgres', await postgresFolders());
const findInitdb = async (): Promise<string | undefined> => findProgram('initdb', await postgresFolders());

export async function startPostgres(scope: Scope): Promise<PostgresServer> {
  const [postgres, initdb] = await Promise.all([findPostgres(), findInitdb()]);
  if (postgres === undefined || initdb === undefined) throw new Error('postgres and initdb were not found.');
  const [folder, port] = await Promise.all([scope.temporaryFolder('postgres'), freePort()]);
  const asUser = await unprivileged(folder);
  const data = join(folder, 'data');
  const flags = ['-D', data, '-U', USER, '--auth=trust', '--encoding=UTF8', '--no-sync'];
  const [program, ...parameters] = [...asUser, initdb, ...flags];
  await promisify(execFile)(program ?? initdb, parameters, { cwd: folder });
  const command = [...asUser, postgres, '-D', data, '-h', LOOPBACK, '-p', String(port), '-k', ''];
  const server = await startHeld({ name: 'postgres', command, folder, scope });
  const url = `postgres://${USER}@${LOOPBACK}:${port}/postgres`;
  const connection = await connect(url, server);
  scope.add(() => connection.end());
  return { url, pid: server.pid, connection };
}

/**
 * PostgreSQL refuses to run as root.
 * @returns the prefix that makes a command run as another user, which owns the folder
 */
async function unprivileged(folder: string): Promise<string[]> {
  if (process.getuid?.() !== 0) return [];
  const id = (flag: string): Promise<string> =>
    outputOf('id', flag, 'postgres').catch(() => outputOf('id', flag, 'nobody'));
  const [uid, gid] = await Promise.all([id('-u'), id('-g')]);
  await chown(folder, Number(uid), Number(gid));
  return ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
}

async function connect(url: string, server: HeldProcess): Promise<pg.Client> {
  return until(async () => {
    await server.assertAlive();
    const connection = new pg.Client({ connectionString: url });
    connection.on('error', () => undefined);
    try {
      await connection.connect();
      return connection;
    } catch {
      return undefined;
    }
  }, deadline('PostgreSQL starts', START_WITHIN_MS), 50);
}
