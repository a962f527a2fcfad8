/** `reprise replay`: prints the events of an actor from the journal: of a job, or of any kind as `<kind>/<id>`. */
import { jobKind } from '../../actors/job/job.kind.js';
import type { Kind } from '../../actors/kind.js';
import { KINDS } from '../../actors/kinds.js';
import { partitionsOn } from '../../audit/server.js';
import { RepriseError } from '../../protocols/errors.js';
import { parseJobId, type JobId, type Partition } from '../../protocols/ids.js';
import { connectClient } from '../../sdk/client.js';
import type { Where } from '../arguments.js';
import { locateForBroker, type Located } from '../locate.js';
import { note, print } from '../terminal.js';
import { history, historyOf, type Fact, type Range, type Source } from '../../replay/history.js';
import { stepJson } from '../../replay/step.js';
import { Steps } from '../../replay/steps.js';
import { connectNats } from '../../streams/connect.js';
import { linesOf } from './lines.js';

/** A broker knows the range of positions to read. Without a reply in this time the whole journal is read. */
const BROKER_WITHIN_MS = 500;

export interface ReplayFlags extends Where {
  readonly archive?: string;
  readonly json?: true;
}

export async function runReplay(text: string, flags: ReplayFlags): Promise<void> {
  const slash = text.indexOf('/');
  const kind = slash < 0 ? jobKind : kindNamed(text.slice(0, slash));
  const id = text.slice(slash + 1);
  return kind === jobKind ? replayJob(id, flags) : replayActor(kind, id, flags);
}

function kindNamed(name: string): Kind {
  const found = KINDS.find(({ kind }) => kind.name === name);
  if (found !== undefined) return found.kind;
  const hint = `There are ${KINDS.map(({ kind }) => kind.name).join(', ')}, as in queue/default.`;
  throw new RepriseError('USAGE', `There is no kind of actor ${JSON.stringify(name)}.`, { hint });
}

async function replayJob(text: string, flags: ReplayFlags): Promise<void> {
  const id = parseJobId(text);
  if (id === undefined) {
    const hint = 'A job id looks like 0-4k2m7q9p0r3s5t8v. Other actors are named by kind and id, as in queue/default.';
    throw new RepriseError('NOT_FOUND', `${JSON.stringify(text)} is not a job id.`, { hint });
  }
  const located = locateForBroker(flags);
  const range = await rangeOf(located, id);
  if (range === undefined && !flags.json) note('No broker replied, so the whole journal is read.');
  const count = await printSteps(new Steps(jobKind, id), history(sourceOf(located, flags), id, range), flags);
  if (count === 0) throw new RepriseError('NOT_FOUND', `The journal holds no event of job ${id}.`);
}

/** The partition of an actor follows from its kind, which is not known here: every journal is read. */
async function replayActor(kind: Kind, id: string, flags: ReplayFlags): Promise<void> {
  const located = locateForBroker(flags);
  let count = 0;
  for (const partition of await partitionsAt(located)) {
    const facts = historyOf(sourceOf(located, flags), { partition, kind: kind.name, id });
    count += await printSteps(new Steps(kind, id), facts, flags, partition);
  }
  if (count > 0) return;
  const hint = 'Check the id. An actor has no event before its first change: a queue, before it is paused.';
  const message = `No journal holds an event of ${kind.name} ${JSON.stringify(id)}.`;
  throw new RepriseError('NOT_FOUND', message, { hint });
}

const sourceOf = ({ url, namespace: ns }: Located, { archive }: ReplayFlags): Source => ({ url, ns, archive });

async function partitionsAt({ url, namespace }: Located): Promise<Partition[]> {
  const nc = await connectNats({ url, name: 'reprise replay', reconnect: false });
  try {
    return await partitionsOn(nc, namespace);
  } finally {
    await nc.close();
  }
}

/** @param partition where the id does not say it @returns how many there were */
async function printSteps(
  steps: Steps, facts: AsyncIterable<Fact>, { json }: ReplayFlags, partition?: Partition,
): Promise<number> {
  let count = 0;
  for await (const fact of facts) {
    const step = steps.next(fact);
    if (json) print(stepJson(partition === undefined ? step : { partition, ...step }));
    else {
      if (count === 0 && partition !== undefined) print(`partition ${partition}`);
      for (const line of linesOf(step)) print(line);
    }
    count += 1;
    if (step.complaint) process.exitCode = 1;
  }
  return count;
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
