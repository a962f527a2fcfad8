/**
 * Performs a job in a worker: payload -> validate -> handle -> outcome. A slot performs one lease after the other; each
 * step is a transition of the performer's chart. If a handler returns no promise, none is created here either.
 */
import type { Chart } from '../../actors/chart.js';
import type { Attempt, AbortCause } from './attempt.js';
import { decodeContent } from '../../protocols/content.js';
import { AttemptContext } from './context.js';
import { thrownMessage } from './failure.js';
import { aborted, keepsResult, refused, returned, threw, type AttemptReport } from './outcome.js';
import { performerChart, type PerformerEvent } from './performer.chart.js';
import type { Performer, Verdict } from './performer.js';

/** How long a handler may run on after its signal was aborted, before its slot is given to another job. */
export const ABORT_GRACE_MS = 2_000;

export interface SlotHost {
  readonly maxResultBytes: number;
  /** The slot is idle again. Without a report nothing is sent about the attempt. */
  ended(attempt: Attempt, report: AttemptReport | undefined, slot: Slot): void;
}

export class Slot {
  private current: Attempt | undefined;
  private state: string;

  constructor(
    private readonly host: SlotHost,
    private readonly chart: Chart = performerChart,
  ) {
    this.state = chart.initial;
  }

  get status(): string {
    return this.state;
  }

  get attempt(): Attempt | undefined {
    return this.current;
  }

  start(attempt: Attempt, performer: Performer): void {
    this.current = attempt;
    this.follow('Leased');
    const { lease } = attempt;
    let payload: unknown;
    try {
      payload = decodeContent(lease.payload, lease.contentType);
    } catch (cause) {
      this.end('Refused', refused(lease.token, `the payload cannot be decoded: ${thrownMessage(cause)}`));
      return;
    }
    if (performer.validate === undefined) this.handle(attempt, performer, payload);
    else this.validate(attempt, performer, payload);
  }

  abort(cause: AbortCause, nowMs: number): void {
    const attempt = this.current;
    if (attempt === undefined) return;
    this.follow('Aborted');
    attempt.abort(cause, nowMs + ABORT_GRACE_MS);
  }

  /** The grace is over. The handler may never end; its outcome is ignored from now on. */
  abandon(): void {
    const attempt = this.current;
    if (attempt?.cause === undefined) return;
    this.end('Abandoned', aborted(attempt.lease.token, attempt.cause));
  }

  private validate(attempt: Attempt, performer: Performer, payload: unknown): void {
    const judge = (verdict: Verdict): void => {
      if (this.current !== attempt) return;
      const isRefused = verdict === false || typeof verdict === 'string';
      if (attempt.cause !== undefined) this.endAborted(attempt, undefined);
      else if (isRefused) this.refuse(attempt, verdict || 'validate refused the payload');
      else this.handle(attempt, performer, payload);
    };
    const refuse = (cause: unknown): void => {
      if (this.current !== attempt) return;
      if (attempt.cause !== undefined) this.endAborted(attempt, undefined);
      else this.refuse(attempt, thrownMessage(cause));
    };
    call(() => performer.validate!(payload as never), judge, refuse);
  }

  private refuse(attempt: Attempt, reason: string): void {
    this.end('Refused', refused(attempt.lease.token, reason));
  }

  private handle(attempt: Attempt, performer: Performer, payload: unknown): void {
    this.follow('Accepted');
    const { token } = attempt.lease;
    const onValue = (value: unknown): void => {
      if (this.current !== attempt) return;
      const report = returned(token, value, this.host.maxResultBytes);
      if (attempt.cause === undefined) this.end('Returned', report);
      else this.endAborted(attempt, report);
    };
    const onThrown = (thrown: unknown): void => {
      if (this.current !== attempt) return;
      if (attempt.cause === undefined) this.end('Threw', threw(token, thrown));
      else this.endAborted(attempt, undefined);
    };
    call(() => performer.handle(payload as never, new AttemptContext(attempt)), onValue, onThrown);
  }

  private endAborted(attempt: Attempt, report: AttemptReport | undefined): void {
    const cause = attempt.cause!;
    const isKept = report !== undefined && keepsResult(cause);
    this.end('Ended', isKept ? report : aborted(attempt.lease.token, cause));
  }

  private end(event: PerformerEvent, report: AttemptReport | undefined): void {
    const attempt = this.current!;
    this.follow(event);
    this.current = undefined;
    this.follow(report === undefined ? 'Dropped' : 'Reported');
    this.host.ended(attempt, report, this);
  }

  private follow(event: PerformerEvent): void {
    const next = this.chart.next(this.state, event);
    if (next === undefined) throw new Error(`performer: the chart has no transition for ${event} in ${this.state}`);
    this.state = next;
  }
}

/** Calls user code and passes on its outcome: at once for a value, in one tick of the promise otherwise. */
function call<Value>(
  run: () => Value | Promise<Value>,
  onValue: (value: Value) => void,
  onThrown: (thrown: unknown) => void,
): void {
  let value: Value | Promise<Value>;
  try {
    value = run();
    if (isThenable(value)) {
      value.then(onValue, onThrown);
      return;
    }
  } catch (thrown) {
    onThrown(thrown);
    return;
  }
  onValue(value);
}

function isThenable<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
