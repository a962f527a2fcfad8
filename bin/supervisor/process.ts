/**
 * One process of ours, started by this one with a channel between them: it says when it is ready, and ends itself when
 * the channel closes, however this process ends. It has a process group of its own, so that Ctrl-C in the terminal
 * reaches only this process, which ends the others in order.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { selfArguments } from '../self.js';
import type { Ready } from '../shutdown.js';

export interface Started {
  readonly pid: number;
  /** Resolves when the process says that it does its work; rejects when it ends before. */
  readonly ready: Promise<Ready>;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  /** TERM, and KILL when that does not help in time. */
  stop(withinMs: number): Promise<void>;
}

const STDERR = 2;

export function startProcess(args: readonly string[], env: NodeJS.ProcessEnv): Started {
  const child = spawn(process.execPath, [...selfArguments(), ...args], {
    env: { ...process.env, ...env },
    detached: true,
    // Whatever a performer prints is a log here: stdout is for what was asked for.
    stdio: ['ignore', STDERR, STDERR, 'ipc'],
  });
  const exited = once(child, 'exit').then(([code, signal]) => ({ code: code as number | null, signal: signal as NodeJS.Signals | null }));
  const ready = readiness(child, exited);
  ready.catch(() => undefined);
  return { pid: child.pid ?? 0, ready, exited, stop: (withinMs) => stop(child, exited, withinMs) };
}

async function readiness(child: ChildProcess, exited: Started['exited']): Promise<Ready> {
  const ended = exited.then(({ code, signal }): never => {
    throw new Error(`it ended with ${signal ?? `status ${code}`} before it was ready`);
  });
  const [said] = await Promise.race([once(child, 'message'), ended]);
  return said as Ready;
}

async function stop(child: ChildProcess, exited: Started['exited'], withinMs: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
  await exited.finally(() => clearTimeout(timer));
}
