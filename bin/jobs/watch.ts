/**
 * `reprise jobs watch`: prints the events of a job, past ones and then live ones, each once and in order. Past events
 * are read from the journal; a user without permission to read it gets the live ones only.
 */
import { jobKind } from '../../actors/job/job.kind.js';
import { RepriseError } from '../../protocols/errors.js';
import { parseJobId, type JobId } from '../../protocols/ids.js';
import type { journal } from '../../protocols/messages.js';
import type { JobView } from '../../sdk/client.js';
import { locateForBroker, type Located } from '../locate.js';
import { history, type Fact } from '../../replay/history.js';
import { stepJson, type Step } from '../../replay/step.js';
import { Steps } from '../../replay/steps.js';
import { note, paint, print, visible } from '../terminal.js';
import { targetOf, withClient, type JobFlags } from './client.js';
import { jsonOf, lacksWorker, linesOf, statusText } from './show-values.js';

export async function runWatch(given: string | undefined, flags: JobFlags): Promise<void> {
  const target = targetOf(given, flags);
  await withClient(flags, async (client) => {
    const found = await client.get(target);
    const live = client.watch(found.jobId);
    const printer = new EventPrinter(locateForBroker(flags), parseJobId(found.jobId)!, flags.json === true);
    // The subscription begins before the past is read, so that no event is missed in between.
    await printer.catchUp(await client.get({ jobId: found.jobId }));
    if (found.noWorker) note(lacksWorker(found.type, found.queue));
    for await (const seen of live) {
      if (seen.kind === 'ended') return printer.catchUp(seen.view);
      if (seen.kind === 'progress') printer.progress(seen);
      else printer.fact(factOf(seen.fact));
    }
  });
}

const factOf = ({ seq, index, nowMs, event }: journal.Fact): Fact => ({
  seq, index, nowMs,
  event: event as Fact['event'],
});

class EventPrinter {
  private steps: Steps;
  private seq = 0;
  private index = -1;
  private mayRead = true;

  constructor(
    private readonly located: Located,
    private readonly id: JobId,
    private readonly json: boolean,
  ) {
    this.steps = new Steps(jobKind, id);
  }

  /** Prints what is in the journal up to the job's latest event and was not printed yet. */
  async catchUp(view: JobView): Promise<void> {
    const { firstSeq, lastSeq } = view;
    if (this.seq >= lastSeq || !this.mayRead) return;
    const range = { firstSeq: this.seq === 0 ? firstSeq : this.seq, lastSeq };
    const { url, namespace } = this.located;
    try {
      for await (const fact of history({ url, ns: namespace }, this.id, range)) this.fact(fact);
    } catch (error) {
      if (!(error instanceof RepriseError && error.code === 'PERMISSION_DENIED')) throw error;
      this.beginWith(view);
    }
  }

  private beginWith(view: JobView): void {
    this.mayRead = false;
    this.steps = new Steps(jobKind, this.id, view.status);
    [this.seq, this.index] = [view.lastSeq, Infinity];
    note('This user may not read the journal, so past events are missing: here is the current state, and live events.');
    if (this.json) print(jsonOf({ kind: 'view', ...view } as JobView));
    else for (const shown of linesOf(view)) print(shown);
  }

  fact(fact: Fact): void {
    if (fact.seq < this.seq || (fact.seq === this.seq && fact.index <= this.index)) return;
    this.seq = fact.seq;
    this.index = fact.index;
    const step = this.steps.next(fact);
    print(this.json ? stepJson({ kind: 'event', ...step }) : line(step));
  }

  progress({ attempt, fraction, message }: { attempt: number; fraction: number; message: string }): void {
    if (this.json) print(JSON.stringify({ kind: 'progress', attempt, fraction, message }));
    else print(`${PROGRESS_INDENT}${paint('gray', `${percent(fraction)} %  ${visible(message)}`)}`);
  }
}

const PROGRESS_INDENT = ' '.repeat(24);
const percent = (fraction: number): string => String(Math.round(fraction * 100)).padStart(3);

function line({ time, event, after, changed, content, failure }: Step): string {
  const attempt = changed['attempt'] ? ` attempt ${String(changed['attempt'].after)}` : '';
  const result = content?.of === 'result' ? ` ${visible(content.text)}` : '';
  const why = failure ? ` ${visible(`${failure.code}: ${failure.message}`)}` : '';
  return `${paint('gray', time.slice(11, 23))} ${event.padEnd(18)} ${statusText(after)}${attempt}${why}${result}`;
}
