/** What a program started or created ends with the function that needed it, or with the whole program. */
import { Scope } from './scope.js';

const wholeRun = new Scope();

/** To be called once, at the start of the program. */
export function endOnInterrupt(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => void wholeRun.end().finally(() => process.exit(130)));
  }
}

export async function inScope<T>(within: (scope: Scope) => Promise<T>): Promise<T> {
  const scope = new Scope();
  wholeRun.add(() => scope.end());
  try {
    return await within(scope);
  } finally {
    await scope.end();
    // After an interrupt the process is about to exit; nothing more may be started or printed.
    if (wholeRun.isEnding) await new Promise(() => undefined);
  }
}

/** Progress, beside the results on stdout. */
export const log = (line: string): void => void process.stderr.write(`${line}\n`);
