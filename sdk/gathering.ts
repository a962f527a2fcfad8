/**
 * Gathers the requests of one turn of the event loop: those that follow one another on one subject are sent together.
 * So they are sent in the order in which they were made, whatever their subjects.
 */
export interface Call {
  readonly subject: string;
  readonly data: Uint8Array;
  /** How long to wait for its reply. */
  readonly timeoutMs: number;
  resolve(reply: Uint8Array): void;
  reject(error: unknown): void;
}

export interface GatherBounds {
  /** Requests that are sent together. */
  readonly count: number;
  /** Of their data. A larger request is sent alone. */
  readonly bytes: number;
}

export class Gathering {
  private calls: Call[] = [];

  /**
   * @param send calls of one subject, at least one. It settles each of them, and does not throw
   * @param schedule calls a function at the end of the turn
   */
  constructor(
    private readonly bounds: GatherBounds,
    private readonly send: (calls: readonly Call[]) => void,
    private readonly schedule: (flush: () => void) => void = setImmediate,
  ) {}

  ask(subject: string, data: Uint8Array, timeoutMs: number): Promise<Uint8Array> {
    return new Promise((resolve, reject) => {
      if (this.calls.length === 0) this.schedule(() => this.flush());
      this.calls.push({ subject, data, timeoutMs, resolve, reject });
    });
  }

  private flush(): void {
    const { calls } = this;
    this.calls = [];
    for (const run of runsOf(calls, this.bounds)) this.send(run);
  }
}

function* runsOf(calls: readonly Call[], { count, bytes }: GatherBounds): Generator<Call[]> {
  let run: Call[] = [];
  let runBytes = 0;
  for (const call of calls) {
    const isFull = run.length >= count || runBytes + call.data.length > bytes;
    if (run.length > 0 && (isFull || run[0]!.subject !== call.subject)) {
      yield run;
      [run, runBytes] = [[], 0];
    }
    run.push(call);
    runBytes += call.data.length;
  }
  if (run.length > 0) yield run;
}
