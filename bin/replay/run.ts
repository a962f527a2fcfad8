/** `reprise replay`: a job's history, from the journal. */
import { RepriseError } from '../../protocols/errors.js';
import { parseJobId, type JobId } from '../../protocols/ids.js';
import { connectClient } from '../../sdk/client.js';
import type { ReplayFlags } from '../commands/replay.js';
import { locateForBroker, type Located } from '../locate.js';
import { note, print } from '../terminal.js';
import { history, type Range } from '../../replay/history.js';
import { linesOf } from './lines.js';
import { stepJson, Steps } from '../../replay/steps.js';

/** A broker tells where to look. It is not needed, so it is not waited for. */
const ASK_MS = 500;

export async function runReplay(text: string, flags: ReplayFlags): Promise<void> {
  const id = parseJobId(text);
  if (id === undefined) throw new RepriseError('NOT_FOUND', `${JSON.stringify(text)} is not a job id.`, { hint: 'A job id looks like 0-4k2m7q9p0r3s5t8v.' });
  const located = locateForBroker(flags);
  const range = await rangeOf(located, id);
  if (range === undefined && !flags.json) note('No broker answers: the whole journal is read.');
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

/** Between which positions the job's events lie; undefined when nobody can tell. @throws RepriseError NOT_FOUND */
async function rangeOf({ url, namespace }: Located, id: JobId): Promise<Range | undefined> {
  const client = await connectClient({ url, namespace, name: 'reprise replay', giveUpMs: ASK_MS });
  try {
    const { firstSeq, lastSeq } = await client.get({ jobId: id });
    return { firstSeq, lastSeq };
  } catch (error) {
    if (error instanceof RepriseError && error.code === 'WRONG_PARTITION') throw new RepriseError('NOT_FOUND', `There is no job ${id}: ${error.message}.`);
    if (error instanceof RepriseError && error.retryable) return undefined;
    throw error;
  } finally {
    await client.close();
  }
}
