/** Starts the embedded server on a data folder, with the nats-server.conf of this package. It dies with this process. */
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RepriseError } from '../../protocols/errors.js';
import { findServer } from './binary.js';
import { makeFolder } from './folder.js';
import { ROOM_BYTES, roomIn } from './health.js';
import { hold, type Exit, type Held } from './hold.js';
import { lock } from './lock.js';
import { untilReady, type Listening } from './ready.js';
import { brokerPassword } from './secret.js';

export interface StartOptions {
  /** Made when it is not there. Everything that the server keeps is in it. */
  readonly dataDir: string;
  /** For clients; without it, or with 0, a free one. */
  readonly port?: number;
  /** For monitoring; likewise. */
  readonly http?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** Told what takes long. */
  readonly log?: (line: string) => void;
}

export interface RunningServer {
  /** For everybody. */
  readonly url: string;
  /** For brokers: with name and password. `address()` makes connection options of it. */
  readonly brokerUrl: string;
  readonly monitoringUrl: string;
  readonly port: number;
  /** Of nats-server itself. */
  readonly pid: number;
  readonly dataDir: string;
  /** Ends the server and waits for it; KILL after 10 seconds. May be called again. */
  stop(): Promise<void>;
  /** Never keeps the process alive by itself. */
  readonly exited: Promise<Exit>;
}

/** As the server spells it: 0 means its default there. */
const FREE_PORT = -1;
const TAIL_LINES = 5;
const TAIL_CHARACTERS = 2_000;

/** Where things lie in the data folder. The server makes `jetstream/` itself. */
const inside = (dataDir: string) => ({
  lock: join(dataDir, 'server.lock'),
  ports: join(dataDir, 'ports'),
  log: join(dataDir, 'nats-server.log'),
  output: join(dataDir, 'nats-server.out'),
});

export async function startServer(options: StartOptions): Promise<RunningServer> {
  const { env = process.env, log } = options;
  const dataDir = resolve(options.dataDir);
  const binary = await findServer({ env, ...(log && { log }) });
  const password = await using(dataDir, async () => {
    await makeFolder(dataDir);
    return brokerPassword(dataDir);
  });
  await assertRoom(dataDir);
  const command = [binary.path, ...flags(options, dataDir)];
  const held = await using(dataDir, () => begin(command, { ...env, REPRISE_BROKER_PASSWORD: password }, dataDir));
  const listening = await ready(held, dataDir);
  held.unref();
  return running(listening, password, dataDir, held);
}

/** What the file system refuses is the folder's fault, and the folder can be chosen. */
async function using<T>(dataDir: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (cause) {
    if (cause instanceof RepriseError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    const hint = 'Give a folder that can be made and written to.';
    throw new RepriseError('SERVER_FAILED', `The data folder ${dataDir} cannot be used: ${why}.`, { cause, hint });
  }
}

/** On a full disk the server would start without a word and without telling its ports. */
async function assertRoom(dataDir: string): Promise<void> {
  const bytes = await roomIn(dataDir);
  if (bytes >= ROOM_BYTES) return;
  throw new RepriseError('DISK_FULL', `The disk of the data folder ${dataDir} has ${bytes} bytes left; the server needs ${ROOM_BYTES}.`, { hint: 'Make room on it.' });
}

function flags({ port = 0, http = 0 }: StartOptions, dataDir: string): string[] {
  const { ports, log } = inside(dataDir);
  const where = ['-c', configuration(), '-sd', dataDir, '-l', log, '--ports_file_dir', ports];
  return [...where, '-p', String(port || FREE_PORT), ...(http === 0 ? [] : ['-m', String(http)])];
}

/** Up from here, the first folder that has one: the root of the checkout or package, from source and from dist/ alike. */
function configuration(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let folder = here; folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'nats-server.conf');
    if (existsSync(path)) return path;
  }
  throw new RepriseError('SERVER_FAILED', `There is no nats-server.conf above ${here}.`, { hint: 'Install Reprise again.' });
}

/** The shell comes first, the lock in its name second, and the server only when the folder is ours. */
async function begin(command: string[], env: NodeJS.ProcessEnv, dataDir: string): Promise<Held> {
  const paths = inside(dataDir);
  const output = await open(paths.output, 'a', 0o600);
  const held = hold({ command, env, lock: paths.lock, output: output.fd });
  try {
    await lock(paths.lock, held.group, dataDir);
    await output.truncate();
    await rm(paths.ports, { recursive: true, force: true });
    await mkdir(paths.ports);
    held.begin();
    return held;
  } catch (error) {
    await held.end();
    throw error;
  } finally {
    await output.close();
  }
}

async function ready(held: Held, dataDir: string): Promise<Listening> {
  const gone = new AbortController();
  const exited = held.exited.finally(() => gone.abort());
  exited.catch(() => undefined);
  try {
    return await untilReady(inside(dataDir).ports, gone.signal);
  } catch (error) {
    const { code, signal } = await held.end();
    if (error instanceof RepriseError) throw error;
    const said = await tail(dataDir);
    throw new RepriseError('SERVER_FAILED', `nats-server ended with ${signal ?? code}:\n${said}`);
  }
}

/** What it said before there was a log, and the end of the log. */
async function tail(dataDir: string): Promise<string> {
  const { output, log } = inside(dataDir);
  const texts = await Promise.all([output, log].map((path) => readFile(path, 'utf8').catch(() => '')));
  return texts.flatMap((text) => text.trimEnd().split('\n').slice(-TAIL_LINES)).join('\n').slice(-TAIL_CHARACTERS).trim();
}

function running({ pid, port, monitoringUrl }: Listening, password: string, dataDir: string, held: Held): RunningServer {
  const at = `127.0.0.1:${port}`;
  const stop = async (): Promise<void> => void (await held.end());
  return { url: `nats://${at}`, brokerUrl: `nats://broker:${password}@${at}`, monitoringUrl, port, pid, dataDir, stop, exited: held.exited };
}
