/** A program that dies with this process, however that ends, and whose last output is part of the error if it dies. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hold, type Held } from '../../streams/server/hold.js';
import type { Scope } from './scope.js';

export interface HeldProcess {
  /** Of the shell that starts it; the program is its descendant. */
  readonly pid: number;
  /** @throws Error with the end of its output if the program has ended */
  assertAlive(): Promise<void>;
  end(): Promise<void>;
}

export interface HeldOptions {
  readonly name: string;
  readonly command: readonly string[];
  /** For its output. */
  readonly folder: string;
  readonly scope: Scope;
  readonly env?: NodeJS.ProcessEnv;
}

const TAIL_LINES = 8;

export async function startHeld(options: HeldOptions): Promise<HeldProcess> {
  const { name, command, folder, scope, env = process.env } = options;
  const log = join(folder, `${name}.log`);
  const output = await open(log, 'a');
  const held = hold({ command, env, lock: join(folder, `${name}.lock`), output: output.fd });
  await output.close();
  scope.add(async () => void (await held.end()));
  held.begin();
  return running(name, held, log);
}

function running(name: string, held: Held, log: string): HeldProcess {
  let ended: string | undefined;
  void held.exited.then(
    ({ code, signal }) => (ended = `ended with ${signal ?? code}`),
    (error: unknown) => (ended = String(error)),
  );
  return {
    pid: held.group,
    end: async () => void (await held.end()),
    assertAlive: async () => {
      if (ended === undefined) return;
      const tail = (await readFile(log, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-TAIL_LINES);
      throw new Error(`${name} ${ended}:\n${tail.join('\n')}`);
    },
  };
}
