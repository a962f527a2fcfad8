/**
 * Starts a program that ends with this process, however this process ends: a shell between the two reads a pipe whose
 * only writer is this process. When the pipe closes (an orderly stop, a crash, kill -9) the shell ends the program.
 *
 * The shell runs in its own session, so that Ctrl-C in the terminal does not reach the program: this process
 * drains first and then closes the pipe.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { RepriseError } from '../../protocols/errors.js';

/** How the program ended: its exit code, or the signal that ended it. */
export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Held {
  /** The shell's process id, which is also the id of its process group. */
  readonly group: number;
  /** Starts the program. Until then only the shell runs, and it ends when the pipe closes. */
  begin(): void;
  /** Closes the pipe: the program gets TERM, and KILL after 10 seconds. May be called again. */
  end(): Promise<Exit>;
  /** From here on the program does not keep this process's event loop alive. */
  unref(): void;
  readonly exited: Promise<Exit>;
}

export interface HoldOptions {
  readonly command: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  /** A file that exists for as long as the program may run: the shell removes it when the program has ended. */
  readonly lock: string;
  /** File descriptor for stdout and stderr of the program. */
  readonly output: number;
}

/**
 * `read` is a builtin, so the job that reads the pipe can be killed without leaving a process behind when the program
 * ends by itself. While that job waits for the program it ignores TERM, otherwise its last `sleep` would be orphaned.
 */
const SCRIPT = `
lock=$1; shift
read -r begin || exit 0
exec 3<&0 </dev/null
"$@" 3<&- &
program=$!
{
  read -r closed
  trap '' TERM
  kill -TERM "$program"
  tries=0
  while kill -0 "$program"; do
    if [ "$tries" -eq 200 ]; then kill -KILL "$program"; fi
    tries=$((tries + 1))
    sleep 0.05
  done
} <&3 2>/dev/null &
reader=$!
exec 3<&-
wait "$program"
status=$?
kill "$reader" 2>/dev/null
wait "$reader" 2>/dev/null
rm -f "$lock"
exit "$status"
`;

export function hold({ command, env, lock, output }: HoldOptions): Held {
  const shell = spawn('/bin/sh', ['-c', SCRIPT, 'reprise-hold', lock, ...command], {
    env,
    detached: true,
    stdio: ['pipe', output, output],
  });
  const exited = exitOf(shell);
  // The rejection is for callers that await it. Without this it would be an unhandled one.
  exited.catch(() => undefined);
  if (!shell.pid || !shell.stdin) {
    throw new RepriseError('SERVER_FAILED', 'The server cannot be started: there is no /bin/sh.');
  }
  const pipe = shell.stdin;
  // The shell may have ended already when the pipe is written to or closed; `exited` shows that.
  pipe.on('error', () => undefined);
  return {
    group: shell.pid,
    begin: () => void pipe.write('begin\n'),
    end: () => {
      shell.ref();
      pipe.end();
      return exited;
    },
    unref: () => {
      shell.unref();
      if ('unref' in pipe && typeof pipe.unref === 'function') pipe.unref();
    },
    exited,
  };
}

function exitOf(shell: ChildProcess): Promise<Exit> {
  return new Promise((resolve, reject) => {
    shell.once('error', reject);
    shell.once('exit', (code, signal) => resolve(code === null ? { code, signal } : unwrapped(code)));
  });
}

/** A shell reports a signal as 128 plus its number. */
function unwrapped(code: number): Exit {
  const names = Object.keys(constants.signals) as NodeJS.Signals[];
  const signal = code > 128 ? names.find((name) => constants.signals[name] === code - 128) : undefined;
  return signal ? { code: null, signal } : { code, signal: null };
}
