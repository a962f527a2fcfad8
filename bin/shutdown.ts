/**
 * When a process has to stop: on Ctrl-C, on a signal, or when the parent that started it with a channel is gone,
 * however that parent ended.
 */
export type StopReason = 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'disconnect';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** The exit status of a process that was interrupted. */
export const INTERRUPTED = 130;

/** Resolves at the first request to stop. A second signal ends the process at once. */
export function untilStopRequested(): Promise<StopReason> {
  return new Promise((resolve) => {
    let isRequested = false;
    const request = (by: StopReason): void => {
      if (isRequested && by !== 'disconnect') process.exit(INTERRUPTED);
      isRequested = true;
      resolve(by);
    };
    for (const signal of SIGNALS) process.on(signal, () => request(signal));
    if (process.channel) process.once('disconnect', () => request('disconnect'));
    // The listener must not keep a process alive that failed to start.
    process.channel?.unref();
  });
}

/**
 * Ends the process if an orderly end takes too long, for instance because the server is gone as well.
 * @param code the exit status, by default the one that is set already
 */
export function endWithin(ms: number, code?: number): void {
  setTimeout(() => process.exit(code ?? process.exitCode), ms).unref();
}

/** The message from a process to its parent when it is ready. */
export interface Ready {
  /** Of a worker: the job types that it performs. */
  readonly serves: readonly string[];
}

export function sendReady(ready: Ready = { serves: [] }): void {
  process.send?.(ready, undefined, undefined, () => undefined);
}
