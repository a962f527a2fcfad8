/** Server, broker and workers on this machine, as `dev` and the demo run them: started in order, stopped in reverse. */
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import type { Logger } from 'pino';
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace } from '../../protocols/ids.js';
import { removeDevFile, writeDevFile, type DevFile } from '../dev-file.js';
import { archiveFromEnvironment, archiveOf, withoutBroker } from '../locate.js';
import { SupervisedProcess } from './supervised-process.js';
import { SupervisedServer } from './supervised-server.js';

export interface StackOptions {
  readonly namespace: Namespace;
  /** Of a running server, with the broker's password if it has one. Without it a server is started on `dataDir`. */
  readonly url?: string | undefined;
  readonly dataDir: string;
  /** 0: any free port. Without it 4222 if that is free, else any free port. */
  readonly port?: number | undefined;
  readonly partitions: number;
  readonly performers: readonly string[];
  readonly workers: number;
  readonly concurrency: number;
  readonly log: Logger;
}

export interface Pids {
  readonly server: number | null;
  readonly broker: number;
  readonly workers: readonly number[];
}

export interface Stack {
  /** For clients. */
  readonly nats: string;
  /** For reading journals; it may hold the broker's password. */
  readonly brokerUrl: string;
  readonly monitoring: string | undefined;
  readonly pids: Pids;
  /** The job types that the workers perform. */
  readonly serves: readonly string[];
  /** Replaces the workers by ones that load these files and folders. @returns whether all of them were replaced */
  reload(performers: readonly string[]): Promise<boolean>;
  /** Stops the workers, which drain, then the broker, then the server. */
  stop(): Promise<void>;
}

const DEFAULT_PORT = 4222;
const BROKER_STOP_MS = 10_000;
const WORKER_STOP_MS = 25_000;

export async function startStack(options: StackOptions): Promise<Stack> {
  const stops: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const stopOne of stops.splice(0).reverse()) await stopOne();
  };
  try {
    // Assigned, not spread: pids and addresses are getters, because they change when a process is restarted.
    return Object.assign(await start(options, stops), { stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

type Running = { readonly [Part in Exclude<keyof Stack, 'stop'>]: Stack[Part] };

async function start(options: StackOptions, stops: (() => Promise<void>)[]): Promise<Running> {
  const server = options.url === undefined ? await startEmbedded(options) : undefined;
  if (server) stops.push(() => server.stop());
  const brokerUrl = options.url ?? server!.running.brokerUrl;
  const nats = withoutBroker(brokerUrl);
  // Before the broker is ready: if a partition cannot be led, commands in this folder still have to find the server.
  announce(options, nats, server);
  stops.push(async () => removeDevFile(process.cwd()));
  options.log.info({ nats }, 'server found; starting the broker and the workers');
  const broker = supervised(options, 'broker', brokerArgs(options), brokerUrl, BROKER_STOP_MS);
  stops.push(() => broker.stop());
  await broker.start();
  const args = workerArgs(options, options.performers);
  const startWorker = (): SupervisedProcess => supervised(options, 'worker', args, nats, WORKER_STOP_MS);
  const workers = Array.from({ length: options.workers }, startWorker);
  stops.push(async () => void (await Promise.all(workers.map((worker) => worker.stop()))));
  await Promise.all(workers.map((worker) => worker.start()));
  return {
    nats,
    brokerUrl,
    get monitoring() {
      return server?.running.monitoringUrl;
    },
    get pids() {
      return { server: server?.running.pid ?? null, broker: broker.pid, workers: workers.map(({ pid }) => pid) };
    },
    get serves() {
      return workers[0]?.serves ?? [];
    },
    reload: async (performers) => {
      const replacing = workers.map((worker) => worker.replace(workerArgs(options, performers)));
      return (await Promise.all(replacing)).every(Boolean);
    },
  };
}

async function startEmbedded({ dataDir, port, log }: StackOptions): Promise<SupervisedServer> {
  if (port !== undefined && port !== 0 && !(await isFree(port))) {
    const hint = 'Give another --port, or leave it out for a free one.';
    throw new RepriseError('USAGE', `Port ${port} is in use.`, { hint });
  }
  const startOn = (chosen?: number): Promise<SupervisedServer> =>
    SupervisedServer.start({ dataDir, port: chosen, log });
  if (port !== undefined) return startOn(port);
  if (!(await isFree(DEFAULT_PORT))) return startOn();
  return startOn(DEFAULT_PORT).catch(async (error: unknown) => {
    // Another process may have taken the port since it was free.
    if (await isFree(DEFAULT_PORT)) throw error;
    return startOn();
  });
}

/** Writes the addresses to .reprise/dev.json, now and after every restart of the server. */
function announce({ namespace, url, dataDir }: StackOptions, nats: string, server: SupervisedServer | undefined): void {
  const fixed: DevFile = {
    nats,
    namespace,
    pid: process.pid,
    ...(url === undefined && { dataDir: resolve(dataDir) }),
  };
  const write = (): void => {
    writeDevFile(process.cwd(), { ...fixed, ...(server && { monitoring: server.running.monitoringUrl }) });
  };
  if (server) server.onRestart = write;
  write();
}

function brokerArgs({ namespace, partitions, url, dataDir }: StackOptions): string[] {
  const args = ['broker', '--partitions', String(partitions), '--namespace', namespace];
  if (url !== undefined) return args;
  const archive = archiveFromEnvironment() ?? archiveOf(dataDir);
  return [...args, '--index-dir', resolve(dataDir, 'index'), '--archive', archive];
}

function workerArgs({ namespace, concurrency }: StackOptions, performers: readonly string[]): string[] {
  return ['worker', ...performers, '--concurrency', String(concurrency), '--namespace', namespace];
}

/** The address, which may hold a password, goes by the environment: other users can read the arguments of a process. */
function supervised(
  { log }: StackOptions,
  name: string,
  args: readonly string[],
  url: string,
  stopWithinMs: number,
): SupervisedProcess {
  return new SupervisedProcess({ name, args, env: { REPRISE_NATS_URL: url }, stopWithinMs, log });
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolveFree) => {
    const probe = createServer();
    probe.once('error', () => resolveFree(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolveFree(true)));
  });
}
