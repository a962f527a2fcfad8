/** A PostgreSQL cluster of the benchmark's own, in a temporary folder on loopback, with its default settings. */
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
  /** Of the harness itself, for looking. */
  readonly connection: pg.Client;
}

const START_WITHIN_MS = 20_000;
const USER = 'bench';

export const findPostgres = async (): Promise<string | undefined> => findProgram('postgres', await postgresFolders());
const findInitdb = async (): Promise<string | undefined> => findProgram('initdb', await postgresFolders());

export async function startPostgres(scope: Scope): Promise<PostgresServer> {
  const [postgres, initdb, folder, port] = await Promise.all([findPostgres(), findInitdb(), scope.temporaryFolder('postgres'), freePort()]);
  if (postgres === undefined || initdb === undefined) throw new Error('There is no PostgreSQL.');
  const asUser = await unprivileged(folder);
  const data = join(folder, 'data');
  const [program, ...parameters] = [...asUser, initdb, '-D', data, '-U', USER, '--auth=trust', '--encoding=UTF8', '--no-sync'];
  await promisify(execFile)(program ?? initdb, parameters, { cwd: folder });
  const command = [...asUser, postgres, '-D', data, '-h', LOOPBACK, '-p', String(port), '-k', ''];
  const server = await startHeld({ name: 'postgres', command, folder, scope });
  const url = `postgres://${USER}@${LOOPBACK}:${port}/postgres`;
  const connection = await connect(url, server);
  scope.add(() => connection.end());
  return { url, pid: server.pid, connection };
}

/** PostgreSQL refuses root. @returns what to put before a command, so that it runs as somebody who owns the folder */
async function unprivileged(folder: string): Promise<string[]> {
  if (process.getuid?.() !== 0) return [];
  const id = async (flag: string): Promise<string> => outputOf('id', flag, 'postgres').catch(() => outputOf('id', flag, 'nobody'));
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
