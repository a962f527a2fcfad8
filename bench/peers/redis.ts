/** A redis-server of the benchmark's own, in a temporary folder on loopback. */
import { Redis } from 'ioredis';
import { startHeld } from '../processes/held.js';
import { freePort, LOOPBACK } from '../processes/port.js';
import { findProgram } from '../processes/programs.js';
import type { Scope } from '../processes/scope.js';
import { deadline, until } from '../processes/until.js';

export interface RedisServer {
  readonly port: number;
  readonly pid: number;
  /** Of the harness itself, for looking. */
  readonly connection: Redis;
}

export const findRedis = (): Promise<string | undefined> => findProgram('redis-server');

const START_WITHIN_MS = 10_000;

export async function startRedis(scope: Scope): Promise<RedisServer> {
  const [program, folder, port] = await Promise.all([findRedis(), scope.temporaryFolder('redis'), freePort()]);
  if (program === undefined) throw new Error('There is no redis-server.');
  const command = [program, '--bind', LOOPBACK, '--port', String(port), '--dir', folder, ...DURABILITY];
  const server = await startHeld({ name: 'redis-server', command, folder, scope });
  const connection = new Redis({ host: LOOPBACK, port, lazyConnect: true, maxRetriesPerRequest: null });
  // It dials again by itself while the server starts.
  connection.on('error', () => undefined);
  scope.add(async () => connection.disconnect());
  const check = deadline('redis-server starts', START_WITHIN_MS);
  await until(async () => {
    await server.assertAlive();
    return answers(connection);
  }, check);
  return { port, pid: server.pid, connection };
}

/** As BullMQ's documentation asks for production; snapshots, which would only cost, are off. */
const DURABILITY = ['--appendonly', 'yes', '--appendfsync', 'everysec', '--save', '', '--maxmemory-policy', 'noeviction'];

async function answers(connection: Redis): Promise<true | undefined> {
  try {
    if (connection.status === 'wait') await connection.connect();
    return connection.status === 'ready' && (await connection.ping()) === 'PONG' ? true : undefined;
  } catch {
    return undefined;
  }
}
