/**
 * Starts the reprise command as a child process with a channel to it. The child sends a message when it is ready, and
 * ends itself when the channel closes, however this process ends. It has its own process group, so that Ctrl-C in the
 * terminal reaches only this process, which stops its children in order.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { Exit } from '../../streams/server/hold.js';
import { selfArguments } from '../self.js';
import type { Ready } from '../shutdown.js';

export interface StartedProcess {
  readonly pid: number;
  /** Resolves when the process is ready; rejects when it ends before. */
  readonly ready: Promise<Ready>;
  readonly exited: Promise<Exit>;
  /** SIGTERM, and SIGKILL if the process has not ended in time. */
  stop(withinMs: number): Promise<void>;
}

const STDERR = 2;

export function startProcess(args: readonly string[], env: NodeJS.ProcessEnv): StartedProcess {
  const child = spawn(process.execPath, [...selfArguments(), ...args], {
    env: { ...process.env, ...env },
    detached: true,
    // What a performer prints goes to the log; stdout is for the output of the command.
    stdio: ['ignore', STDERR, STDERR, 'ipc'],
  });
  const exited = once(child, 'exit').then(([code, signal]) => ({ code, signal }) as Exit);
  const ready = untilReady(child, exited);
  ready.catch(() => undefined);
  return { pid: child.pid ?? 0, ready, exited, stop: (withinMs) => stop(child, exited, withinMs) };
}

export const exitText = ({ code, signal }: Exit): string => signal ?? `status ${code}`;

async function untilReady(child: ChildProcess, exited: Promise<Exit>): Promise<Ready> {
  const ended = exited.then((exit): never => {
    throw new Error(`it ended with ${exitText(exit)} before it was ready`);
  });
  const [message] = await Promise.race([once(child, 'message'), ended]);
  return message as Ready;
}

async function stop(child: ChildProcess, exited: Promise<Exit>, withinMs: number): Promise<void> {
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), withinMs);
  await exited.finally(() => clearTimeout(timer));
}
