/** Starts the embedded server on a data folder, with this package's nats-server.conf. It ends with this process. */
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf, RepriseError } from '../../protocols/errors.js';
import { findServer } from './binary.js';
import { makeFolder } from './folder.js';
import { ROOM_BYTES, roomIn } from './health.js';
import { hold, type Exit, type Held } from './hold.js';
import { lock } from './lock.js';
import { untilReady, type Listening } from './ready.js';
import { brokerPassword } from './secret.js';

export interface StartOptions {
  /** Made if it does not exist. Holds everything that the server stores. */
  readonly dataDir: string;
  /** For clients; without it, or with 0, a free port. */
  readonly port?: number;
  /** For monitoring; without it, or with 0, a free port. */
  readonly http?: number;
  readonly env?: NodeJS.ProcessEnv;
  /** The path of another configuration than the package's nats-server.conf, for measurements. */
  readonly config?: string;
  /** Gets one line for each step that may take long. */
  readonly log?: (line: string) => void;
}

export interface RunningServer {
  /** For clients and workers. */
  readonly url: string;
  /** For brokers: with user and password. `address()` turns it into connection options. */
  readonly brokerUrl: string;
  readonly monitoringUrl: string;
  readonly port: number;
  /** Process id of nats-server itself. */
  readonly pid: number;
  readonly dataDir: string;
  /** Stops the server and waits for its end; KILL after 10 seconds. May be called again. */
  stop(): Promise<void>;
  /** Waiting for it does not keep this process alive. */
  readonly exited: Promise<Exit>;
}

/** The server's value for any free port; 0 would mean its default port. */
const FREE_PORT = -1;
const TAIL_LINES = 5;
const TAIL_CHARACTERS = 2_000;

/** Files in the data folder. The server makes `jetstream/` itself. */
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
  const password = await inFolder(dataDir, async () => {
    await makeFolder(dataDir);
    return brokerPassword(dataDir);
  });
  await assertRoom(dataDir);
  const command = [binary.path, ...flags(options, dataDir)];
  const environment = { ...env, REPRISE_BROKER_PASSWORD: password };
  const held = await inFolder(dataDir, () => begin(command, environment, dataDir));
  const listening = await ready(held, dataDir);
  held.unref();
  return running(listening, password, dataDir, held);
}

/** Errors of the file system as an error that names the folder, because the user can choose another one. */
async function inFolder<T>(dataDir: string, use: () => Promise<T>): Promise<T> {
  try {
    return await use();
  } catch (cause) {
    if (cause instanceof RepriseError) throw cause;
    const message = `The data folder ${dataDir} cannot be used: ${messageOf(cause)}.`;
    throw new RepriseError('SERVER_FAILED', message, { cause, hint: 'Give a folder that can be made and written to.' });
  }
}

/** On a full disk the server would start, but report neither an error nor its ports. */
async function assertRoom(dataDir: string): Promise<void> {
  const bytes = await roomIn(dataDir);
  if (bytes >= ROOM_BYTES) return;
  const message = `The disk of the data folder ${dataDir} has ${bytes} bytes left; the server needs ${ROOM_BYTES}.`;
  throw new RepriseError('DISK_FULL', message, { hint: 'Make room on it.' });
}

function flags({ port = 0, http = 0, config = configuration() }: StartOptions, dataDir: string): string[] {
  const { ports, log } = inside(dataDir);
  const where = ['-c', config, '-sd', dataDir, '-l', log, '--ports_file_dir', ports];
  return [...where, '-p', String(port || FREE_PORT), ...(http === 0 ? [] : ['-m', String(http)])];
}

/** In the nearest folder above this file: the root of the checkout or package, for the source as well as for dist/. */
export function configuration(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  for (let folder = here; folder !== dirname(folder); folder = dirname(folder)) {
    const path = join(folder, 'nats-server.conf');
    if (existsSync(path)) return path;
  }
  const message = `There is no nats-server.conf in a folder above ${here}.`;
  throw new RepriseError('SERVER_FAILED', message, { hint: 'Install Reprise again.' });
}

/** First the shell, then the lock with the shell's process group, and the server only once the lock is taken. */
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
    const output = await tail(dataDir);
    throw new RepriseError('SERVER_FAILED', `nats-server ended with ${signal ?? code}:\n${output}`);
  }
}

/** The end of the server's output before it had a log, and the end of the log. */
async function tail(dataDir: string): Promise<string> {
  const { output, log } = inside(dataDir);
  const texts = await Promise.all([output, log].map((path) => readFile(path, 'utf8').catch(() => '')));
  const lines = texts.flatMap((text) => text.trimEnd().split('\n').slice(-TAIL_LINES));
  return lines.join('\n').slice(-TAIL_CHARACTERS).trim();
}

function running(listening: Listening, password: string, dataDir: string, held: Held): RunningServer {
  const { pid, port, monitoringUrl } = listening;
  const at = `127.0.0.1:${port}`;
  const stop = async (): Promise<void> => void (await held.end());
  return {
    url: `nats://${at}`,
    brokerUrl: `nats://broker:${password}@${at}`,
    monitoringUrl,
    port,
    pid,
    dataDir,
    stop,
    exited: held.exited,
  };
}
