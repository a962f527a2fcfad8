/**
 * The way of a job through a worker: payload -> validate -> handle -> outcome. A slot performs one lease after the
 * other; each step is an arrow of the performer's chart. A handler that answers without a promise is done without one.
 */
import type { Chart } from '../../actors/chart.js';
import type { Attempt, AbortCause } from './attempt.js';
import { decodeContent } from '../../protocols/content.js';
import { AttemptContext } from './context.js';
import { messageOf } from './failure.js';
import { aborted, keepsResult, refused, returned, threw, type Report } from './outcome.js';
import { performerChart, type PerformerEvent } from './performer.chart.js';
import type { Performer, Verdict } from './performer.js';

/** How long a handler may go on after its signal was aborted, before its slot is given to another job. */
export const ABORT_GRACE_MS = 2_000;

export interface SlotHost {
  readonly maxResultBytes: number;
  /** The slot is idle again. Without a report there is nothing to say about the attempt. */
  ended(attempt: Attempt, report: Report | undefined, slot: Slot): void;
}

export class Slot {
  readonly #host: SlotHost;
  readonly #chart: Chart;
  #status: string;
  #attempt: Attempt | undefined;

  constructor(host: SlotHost, chart: Chart = performerChart) {
    this.#host = host;
    this.#chart = chart;
    this.#status = chart.initial;
  }

  get status(): string {
    return this.#status;
  }

  get attempt(): Attempt | undefined {
    return this.#attempt;
  }

  start(attempt: Attempt, performer: Performer): void {
    this.#attempt = attempt;
    this.#follow('Leased');
    const { lease } = attempt;
    let payload: unknown;
    try {
      payload = decodeContent(lease.payload, lease.contentType);
    } catch (cause) {
      this.#end('Refused', refused(lease.token, `the payload cannot be decoded: ${messageOf(cause)}`));
      return;
    }
    if (performer.validate === undefined) this.#handle(attempt, performer, payload);
    else this.#validate(attempt, performer, payload);
  }

  abort(cause: AbortCause, nowMs: number): void {
    const attempt = this.#attempt;
    if (attempt === undefined) return;
    this.#follow('Aborted');
    attempt.abort(cause, nowMs + ABORT_GRACE_MS);
  }

  /** The grace is over. The handler may go on for ever; nobody listens to it any more. */
  abandon(): void {
    const attempt = this.#attempt;
    if (attempt?.cause === undefined) return;
    this.#end('Abandoned', aborted(attempt.lease.token, attempt.cause));
  }

  #validate(attempt: Attempt, performer: Performer, payload: unknown): void {
    const judge = (verdict: Verdict): void => {
      if (this.#attempt !== attempt) return;
      if (attempt.cause !== undefined) this.#settle(attempt, undefined);
      else if (verdict === false || typeof verdict === 'string') this.#refuse(attempt, verdict || 'validate refused the payload');
      else this.#handle(attempt, performer, payload);
    };
    const refuse = (cause: unknown): void => {
      if (this.#attempt !== attempt) return;
      if (attempt.cause !== undefined) this.#settle(attempt, undefined);
      else this.#refuse(attempt, messageOf(cause));
    };
    call(() => performer.validate!(payload as never), judge, refuse);
  }

  #refuse(attempt: Attempt, reason: string): void {
    this.#end('Refused', refused(attempt.lease.token, reason));
  }

  #handle(attempt: Attempt, performer: Performer, payload: unknown): void {
    this.#follow('Accepted');
    const { token } = attempt.lease;
    const done = (value: unknown): void => {
      if (this.#attempt !== attempt) return;
      const report = returned(token, value, this.#host.maxResultBytes);
      if (attempt.cause === undefined) this.#end('Returned', report);
      else this.#settle(attempt, report);
    };
    const broke = (thrown: unknown): void => {
      if (this.#attempt !== attempt) return;
      if (attempt.cause === undefined) this.#end('Threw', threw(token, thrown));
      else this.#settle(attempt, undefined);
    };
    call(() => performer.handle(payload as never, new AttemptContext(attempt)), done, broke);
  }

  #settle(attempt: Attempt, report: Report | undefined): void {
    const cause = attempt.cause!;
    this.#end('Settled', report !== undefined && keepsResult(cause) ? report : aborted(attempt.lease.token, cause));
  }

  #end(event: PerformerEvent, report: Report | undefined): void {
    const attempt = this.#attempt!;
    this.#follow(event);
    this.#attempt = undefined;
    this.#follow(report === undefined ? 'Dropped' : 'Reported');
    this.#host.ended(attempt, report, this);
  }

  #follow(event: PerformerEvent): void {
    const next = this.#chart.next(this.#status, event);
    if (next === undefined) throw new Error(`performer: no arrow ${event} from ${this.#status}`);
    this.#status = next;
  }
}

/** Calls, and goes on with what came of it: at once, or in one tick of the promise that it gave. */
function call<Value>(made: () => Value | Promise<Value>, done: (value: Value) => void, broke: (thrown: unknown) => void): void {
  let value: Value | Promise<Value>;
  try {
    value = made();
    if (isThenable(value)) {
      value.then(done, broke);
      return;
    }
  } catch (thrown) {
    broke(thrown);
    return;
  }
  done(value);
}

function isThenable<Value>(value: Value | Promise<Value>): value is Promise<Value> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function';
}
