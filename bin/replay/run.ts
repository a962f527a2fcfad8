/** `reprise replay`: prints a job's events from the journal. */
import { RepriseError } from '../../protocols/errors.js';
import { parseJobId, type JobId } from '../../protocols/ids.js';
import { connectClient } from '../../sdk/client.js';
import type { Where } from '../arguments.js';
import { locateForBroker, type Located } from '../locate.js';
import { note, print } from '../terminal.js';
import { history, type Range } from '../../replay/history.js';
import { linesOf } from './lines.js';
import { stepJson, Steps } from '../../replay/steps.js';

/** A broker knows the range of positions to read. Without a reply in this time the whole journal is read. */
const BROKER_WITHIN_MS = 500;

export interface ReplayFlags extends Where {
  readonly json?: true;
}

export async function runReplay(text: string, flags: ReplayFlags): Promise<void> {
  const id = parseJobId(text);
  if (id === undefined) {
    const hint = 'A job id looks like 0-4k2m7q9p0r3s5t8v.';
    throw new RepriseError('NOT_FOUND', `${JSON.stringify(text)} is not a job id.`, { hint });
  }
  const located = locateForBroker(flags);
  const range = await rangeOf(located, id);
  if (range === undefined && !flags.json) note('No broker replied, so the whole journal is read.');
  const steps = new Steps(id);
  let count = 0;
  for await (const fact of history(located.url, located.namespace, id, range)) {
    const step = steps.next(fact);
    count += 1;
    if (flags.json) print(stepJson(step));
    else for (const line of linesOf(step)) print(line);
    if (step.complaint) process.exitCode = 1;
  }
  if (count === 0) throw new RepriseError('NOT_FOUND', `The journal holds no event of job ${id}.`);
}

/** The positions of the job's first and last event; undefined without a broker. @throws RepriseError NOT_FOUND */
async function rangeOf({ url, namespace }: Located, id: JobId): Promise<Range | undefined> {
  const client = await connectClient({ url, namespace, name: 'reprise replay', giveUpMs: BROKER_WITHIN_MS });
  try {
    const { firstSeq, lastSeq } = await client.get({ jobId: id });
    return { firstSeq, lastSeq };
  } catch (error) {
    if (!(error instanceof RepriseError)) throw error;
    if (error.code === 'WRONG_PARTITION') {
      throw new RepriseError('NOT_FOUND', `There is no job ${id}: ${error.message}.`);
    }
    if (error.retryable) return undefined;
    throw error;
  } finally {
    await client.close();
  }
}
