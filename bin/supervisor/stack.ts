/** Server, broker and workers on this machine, as `dev` and the demo run them: started in order, ended in reverse. */
import { createServer } from 'node:net';
import { resolve } from 'node:path';
import type { Logger } from 'pino';
import { RepriseError } from '../../protocols/errors.js';
import type { Namespace } from '../../protocols/ids.js';
import { removeDevFile, writeDevFile } from '../dev-file.js';
import { withoutBroker } from '../locate.js';
import { Kept } from './kept.js';
import { KeptServer } from './server.js';

export interface StackOptions {
  readonly namespace: Namespace;
  /** A server that runs already; otherwise one is started on `dataDir`. With the broker's password, where it has one. */
  readonly url?: string | undefined;
  readonly dataDir: string;
  /** 0: any free one. Without it 4222 if that is free, else a free one. */
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
  /** For whoever reads journals; it may hold the broker's password. */
  readonly brokerUrl: string;
  readonly monitoring: string | undefined;
  readonly pids: Pids;
  /** The job types that the workers perform. */
  readonly serves: readonly string[];
  /** Starts the workers anew, with what these files and folders hold now. @returns whether all of them did */
  reload(performers: readonly string[]): Promise<boolean>;
  /** Workers, which drain, then the broker, then the server. */
  stop(): Promise<void>;
}

const DEFAULT_PORT = 4222;
const BROKER_STOP_MS = 10_000;
const WORKER_STOP_MS = 25_000;

export async function startStack(options: StackOptions): Promise<Stack> {
  const ending: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of ending.splice(0).reverse()) await end();
  };
  try {
    // Assigned, not spread: process ids and addresses change when something is started again, so they are read when asked for.
    return Object.assign(await start(options, ending), { stop });
  } catch (error) {
    await stop();
    throw error;
  }
}

type Running = { readonly [Part in Exclude<keyof Stack, 'stop'>]: Stack[Part] };

async function start(options: StackOptions, ending: (() => Promise<void>)[]): Promise<Running> {
  const server = options.url === undefined ? await embedded(options) : undefined;
  if (server) ending.push(() => server.stop());
  const brokerUrl = options.url ?? server!.running.brokerUrl;
  const nats = withoutBroker(brokerUrl);
  const tell = (): void => writeDevFile(process.cwd(), { ...devFile(options, nats), ...(server && { monitoring: server.running.monitoringUrl }) });
  if (server) server.onRestart = tell;
  // Before the broker is ready: while a partition stands still, commands in this folder are to find the server.
  tell();
  ending.push(async () => removeDevFile(process.cwd()));
  options.log.info({ nats }, 'server found; starting the broker and the workers');
  const broker = kept(options, 'broker', ['broker', '--partitions', String(options.partitions)], brokerUrl, BROKER_STOP_MS);
  ending.push(() => broker.stop());
  await broker.start();
  const workerArgs = (performers: readonly string[]): string[] => ['worker', ...performers, '--concurrency', String(options.concurrency)];
  const workers = Array.from({ length: options.workers }, () => kept(options, 'worker', workerArgs(options.performers), nats, WORKER_STOP_MS));
  ending.push(async () => void (await Promise.all(workers.map((worker) => worker.stop()))));
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
    reload: async (performers) => (await Promise.all(workers.map((worker) => worker.replace(inNamespace(options, workerArgs(performers)))))).every(Boolean),
  };
}

async function embedded({ dataDir, port, log }: StackOptions): Promise<KeptServer> {
  if (port !== undefined && port !== 0 && !(await isFree(port))) {
    throw new RepriseError('USAGE', `Port ${port} is taken.`, { hint: 'Give another --port, or leave it out for a free one.' });
  }
  const chosen = port ?? ((await isFree(DEFAULT_PORT)) ? DEFAULT_PORT : undefined);
  return KeptServer.start({ dataDir, port: chosen, log });
}

/** The address goes by the environment: arguments of a process are for everybody to read, and it may hold a password. */
function kept(options: StackOptions, name: string, given: readonly string[], url: string, stopWithinMs: number): Kept {
  return new Kept({ name, args: inNamespace(options, given), env: { REPRISE_NATS_URL: url }, stopWithinMs, log: options.log });
}

const inNamespace = ({ namespace }: StackOptions, given: readonly string[]): string[] => [...given, '--namespace', namespace];

function devFile({ namespace, url, dataDir }: StackOptions, nats: string): { nats: string; namespace: string; pid: number; dataDir?: string } {
  return { nats, namespace, pid: process.pid, ...(url === undefined && { dataDir: resolve(dataDir) }) };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((free) => {
    const probe = createServer();
    probe.once('error', () => free(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => free(true)));
  });
}
