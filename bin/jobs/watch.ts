/**
 * `reprise jobs watch`: what happened, then what happens, each event once and in order. What happened is read from the
 * journal; a user who may not read it sees what happens from now on.
 */
import { RepriseError } from '../../protocols/errors.js';
import { parseJobId, type JobId } from '../../protocols/ids.js';
import type { JobView } from '../../sdk/client.js';
import type { JobFlags } from '../commands/jobs.js';
import { locateForBroker, type Located } from '../locate.js';
import { history, type Fact } from '../../replay/history.js';
import { stepJson, Steps, type Step } from '../../replay/steps.js';
import { note, paint, print, visible } from '../terminal.js';
import { targetOf, withClient } from './client.js';
import { jsonOf, lacksWorker, linesOf, statusText } from './show-values.js';

export async function runWatch(given: string | undefined, flags: JobFlags): Promise<void> {
  const target = targetOf(given, flags);
  await withClient(flags, async (client) => {
    const found = await client.get(target);
    const live = client.watch(found.jobId);
    const told = new Told(locateForBroker(flags), parseJobId(found.jobId)!, flags.json === true);
    // Listening has begun before the past is read, so nothing falls between the two.
    await told.catchUp(await client.get({ jobId: found.jobId }));
    if (found.noWorker) note(lacksWorker(found.type, found.queue));
    for await (const seen of live) {
      if (seen.kind === 'ended') return told.catchUp(seen.view);
      if (seen.kind === 'progress') told.progress(seen);
      else told.fact({ seq: seen.fact.seq, index: seen.fact.index, nowMs: seen.fact.nowMs, event: seen.fact.event as Fact['event'] });
    }
  });
}

class Told {
  readonly #located: Located;
  readonly #id: JobId;
  readonly #json: boolean;
  #steps: Steps;
  #seq = 0;
  #index = -1;
  #mayRead = true;

  constructor(located: Located, id: JobId, json: boolean) {
    this.#located = located;
    this.#id = id;
    this.#json = json;
    this.#steps = new Steps(id);
  }

  /** Tells what lies in the journal up to the job's latest event and was not told yet. */
  async catchUp(view: JobView): Promise<void> {
    const { firstSeq, lastSeq } = view;
    if (this.#seq >= lastSeq || !this.#mayRead) return;
    const range = { firstSeq: this.#seq === 0 ? firstSeq : this.#seq, lastSeq };
    try {
      for await (const fact of history(this.#located.url, this.#located.namespace, this.#id, range)) this.fact(fact);
    } catch (error) {
      if (!(error instanceof RepriseError && error.code === 'PERMISSION_DENIED')) throw error;
      this.#beginWith(view);
    }
  }

  #beginWith(view: JobView): void {
    this.#mayRead = false;
    this.#steps = new Steps(this.#id, view.status);
    [this.#seq, this.#index] = [view.lastSeq, Infinity];
    note('This user may not read the journal: this is how the job stands, and what happens from now on.');
    if (this.#json) print(jsonOf({ kind: 'view', ...view } as JobView));
    else for (const shown of linesOf(view)) print(shown);
  }

  fact(fact: Fact): void {
    if (fact.seq < this.#seq || (fact.seq === this.#seq && fact.index <= this.#index)) return;
    this.#seq = fact.seq;
    this.#index = fact.index;
    const step = this.#steps.next(fact);
    print(this.#json ? stepJson({ kind: 'event', ...step }) : line(step));
  }

  progress({ attempt, fraction, message }: { attempt: number; fraction: number; message: string }): void {
    if (this.#json) print(JSON.stringify({ kind: 'progress', attempt, fraction, message }));
    else print(`${' '.repeat(24)}${paint('gray', `${String(Math.round(fraction * 100)).padStart(3)} %  ${visible(message)}`)}`);
  }
}

function line({ time, event, after, changed, content, failure }: Step): string {
  const attempt = changed['attempt'] ? ` attempt ${String(changed['attempt'].after)}` : '';
  const result = content?.of === 'result' ? ` ${visible(content.text)}` : '';
  const why = failure ? ` ${visible(`${failure.code}: ${failure.message}`)}` : '';
  return `${paint('gray', time.slice(11, 23))} ${event.padEnd(18)} ${statusText(after)}${attempt}${why}${result}`;
}
