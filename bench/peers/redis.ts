/** Starts a redis-server in a temporary folder on loopback. */
import { Redis } from 'ioredis';
import { startHeld } from '../processes/held.js';
import { freePort, LOOPBACK } from '../processes/port.js';
import { findProgram } from '../processes/programs.js';
import type { Scope } from '../processes/scope.js';
import { deadline, until } from '../processes/until.js';

export interface RedisServer {
  readonly port: number;
  readonly pid: number;
  /** For queries of the harness. */
  readonly connection: Redis;
}

export const findRedis = (): Promise<string | undefined> => findProgram('redis-server');

const START_WITHIN_MS = 10_000;

/** How often the append-only file is synced: every second, or before each reply. */
export type Sync = 'everysec' | 'always';

export async function startRedis(scope: Scope, sync: Sync): Promise<RedisServer> {
  const [program, folder, port] = await Promise.all([findRedis(), scope.temporaryFolder('redis'), freePort()]);
  if (program === undefined) throw new Error('redis-server was not found on PATH.');
  const settings = [...SETTINGS, '--appendfsync', sync];
  const command = [program, '--bind', LOOPBACK, '--port', String(port), '--dir', folder, ...settings];
  const server = await startHeld({ name: 'redis-server', command, folder, scope });
  const connection = new Redis({ host: LOOPBACK, port, lazyConnect: true, maxRetriesPerRequest: null });
  // The client reconnects by itself while the server starts.
  connection.on('error', () => undefined);
  scope.add(async () => connection.disconnect());
  const check = deadline('redis-server starts', START_WITHIN_MS);
  await until(async () => {
    await server.assertAlive();
    return isReady(connection);
  }, check);
  return { port, pid: server.pid, connection };
}

/** As BullMQ's documentation recommends for production, without snapshots, which cost time and are not needed. */
const SETTINGS = ['--appendonly', 'yes', '--save', '', '--maxmemory-policy', 'noeviction'];

async function isReady(connection: Redis): Promise<true | undefined> {
  try {
    if (connection.status === 'wait') await connection.connect();
    return connection.status === 'ready' && (await connection.ping()) === 'PONG' ? true : undefined;
  } catch {
    return undefined;
  }
}
