/** Shared by the tests of the command: runs the built command as a process, starts `dev`, polls. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Test } from 'tap';
import { connectClient, type Client } from '../../sdk/client.js';

const REPRISE = resolve(import.meta.dirname, '../../bin/reprise');

export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly cwd: string;
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  /** A command that has not ended by then is killed, and has no code. */
  readonly withinMs?: number;
}

/**
 * The environment of the machine must not influence the tests. Tap adds NODE_OPTIONS to the environment of every child,
 * so `env` removes it again.
 */
const REMOVED = ['NODE_OPTIONS', 'REPRISE_NATS_URL', 'REPRISE_NAMESPACE', 'REPRISE_ARCHIVE', 'REPRISE_LOG'];

function begin(args: readonly string[], { cwd, env = {} }: Pick<RunOptions, 'cwd' | 'env'>): ChildProcess {
  const given = Object.entries(env).map(([name, value]) => `${name}=${value ?? ''}`);
  const unset = REMOVED.flatMap((name) => ['-u', name]);
  const command = [...unset, ...given, process.execPath, REPRISE, ...args];
  return spawn('/usr/bin/env', command, { cwd, stdio: ['pipe', 'pipe', 'pipe'] });
}

export async function run(args: readonly string[], options: RunOptions): Promise<Ran> {
  const child = begin(args, options);
  child.stdin!.end(options.input ?? '');
  const { withinMs } = options;
  const killing = withinMs === undefined ? undefined : setTimeout(() => child.kill('SIGKILL'), withinMs);
  const [stdout, stderr, [code]] = await Promise.all([text(child.stdout!), text(child.stderr!), once(child, 'exit')]);
  clearTimeout(killing);
  return { code: code as number | null, stdout, stderr };
}

/** Each is the start of a process, which mostly waits. More at once would make all of them slow. */
const AT_ONCE = 3;

/** For commands that do not depend on each other. */
export async function fewAtOnce<T>(items: Iterable<T>, each: (item: T) => Promise<unknown>): Promise<void> {
  const left = items[Symbol.iterator]();
  const next = async (): Promise<void> => {
    for (let item = left.next(); !item.done; item = left.next()) await each(item.value);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, next));
}

export interface Dev {
  readonly cwd: string;
  readonly nats: string;
  /** With the broker's password, for reading journals. */
  readonly brokerUrl: string;
  readonly pids: { readonly server: number; readonly broker: number; readonly workers: readonly number[] };
  readonly child: ChildProcess;
  /** Its output on stderr so far. */
  log(): string;
  run(...args: string[]): Promise<Ran>;
  client(): Promise<Client>;
  /** Ctrl-C, and until everything is gone. */
  stop(): Promise<number | null>;
}

export async function startDev(t: Test, args: readonly string[] = [], cwd = realpathSync(t.testdir())): Promise<Dev> {
  const child = begin(['dev', '--json', ...args], { cwd });
  let said = '';
  child.stderr!.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  t.teardown(async () => {
    child.kill('SIGINT');
    await exited;
  });
  const line = await Promise.race([
    once(createInterface({ input: child.stdout! }), 'line').then(([first]) => first as string),
    exited.then((code) => Promise.reject(new Error(`dev ended with ${code}:\n${said}`))),
  ]);
  const { nats, pids, error } = JSON.parse(line) as Pick<Dev, 'nats' | 'pids'> & { readonly error?: unknown };
  if (error !== undefined) throw new Error(`dev did not start: ${line}\n${said}`);
  const client = async (): Promise<Client> => {
    const made = await connectClient({ url: nats, giveUpMs: 30_000 });
    t.teardown(() => made.close());
    return made;
  };
  return {
    cwd, nats, pids, child, client,
    get brokerUrl() {
      return nats.replace('//', `//broker:${readFileSync(join(dataIn(cwd), 'broker.secret'), 'utf8').trim()}@`);
    },
    log: () => said,
    run: (...more) => run(more, { cwd }),
    stop: async () => {
      child.kill('SIGINT');
      return exited;
    },
  };
}

export const dataIn = (cwd: string): string => join(cwd, '.reprise', 'data');

/** @throws Error when it does not become true in time */
export async function until(what: string, met: () => boolean | Promise<boolean>, withinMs = 20_000): Promise<void> {
  for (const end = performance.now() + withinMs; performance.now() < end; await sleep(50)) if (await met()) return;
  throw new Error(`${what}: not true within ${withinMs} ms`);
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
