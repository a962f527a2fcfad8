/**
 * When a process is asked to end: by Ctrl-C, by a signal, or by the end of the parent that it was started by with a
 * channel, however that parent ended.
 */
export type Asked = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'disconnect';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const INTERRUPTED = 130;

/** Resolves when the process is asked to end for the first time. Who asks again does not want to wait. */
export function untilAsked(): Promise<Asked> {
  return new Promise((resolve) => {
    let asked = false;
    const ask = (by: Asked): void => {
      if (asked && by !== 'disconnect') process.exit(INTERRUPTED);
      asked = true;
      resolve(by);
    };
    for (const signal of SIGNALS) process.on(signal, () => ask(signal));
    if (process.channel) process.once('disconnect', () => ask('disconnect'));
    // Listening alone must not keep alive a process that failed to start.
    process.channel?.unref();
  });
}

/** Ends the process when an orderly end takes too long, for instance because the server is gone as well. @param code the status if not the one set already */
export function endWithin(ms: number, code?: number): void {
  setTimeout(() => process.exit(code ?? process.exitCode), ms).unref();
}

/** What a process tells its parent, once. */
export interface Ready {
  /** Of a worker: the job types that it performs. */
  readonly serves: readonly string[];
}

/** Tells the parent, if there is one that listens, that this process does its work now. */
export function tellReady(ready: Ready = { serves: [] }): void {
  process.send?.(ready, undefined, undefined, () => undefined);
}
