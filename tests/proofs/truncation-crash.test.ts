/**
 * Whichever operation of snapshots and truncation fails, or is the last one of a broker: the next broker leads with
 * the state that the whole history folds to, every acknowledged job is there with its payload, and nothing of the
 * history is lost. Read by code that shares none with the implementation.
 */
import t from 'tap';
import type { PartitionCore } from '../../partition/core/core.js';
import { decodeCommit } from '../../streams/contents.js';
import { hashOf } from '../poisoned.js';
import { newCore } from '../play.js';
import { Faults, WAYS, type Way } from '../truncating/faults.js';
import { jobsIn } from '../truncating/history.js';
import { Life, Outliving } from '../truncating/stage.js';

/** Two truncations: the second one also removes what is carried and not needed any more. */
const SCRIPT: readonly ((life: Life) => Promise<unknown>)[] = [
  (life) => life.submit(),
  (life) => life.submit({ priority: 3 }),
  (life) => life.lease(1, 0),
  (life) => life.snapshot(),
  (life) => life.submit(),
  (life) => life.snapshot(),
  (life) => life.truncate(),
  (life) => life.lease(9, 9),
  (life) => life.submit({ delayMs: 1e9 }),
  (life) => life.submit({ queue: 'paused', key: 'k', commandId: 'c' }),
  (life) => life.pauseQueue('paused'),
  (life) => life.snapshot(),
  (life) => life.submit(),
  (life) => life.snapshot(),
  (life) => life.truncate(),
];

async function play(outliving: Outliving, faults: Faults): Promise<void> {
  // A take-over that failed is tried again, as a host does.
  for (let tries = 0; tries < 2 && !faults.hasCrashed; tries += 1) {
    const life = await Life.begin(outliving, faults).catch(() => undefined);
    for (const act of life ? SCRIPT : []) if (!life!.hasEnded && !faults.hasCrashed) await act(life!);
    await life?.end();
    if (life) return;
  }
}

function folded({ stream }: Outliving): PartitionCore {
  const core = newCore();
  for (const [seq, bytes] of stream.history) core.replay(decodeCommit(bytes), seq);
  return core;
}

/** Everything that must hold, whatever happened. @returns what does not */
async function wrongIn(outliving: Outliving, life: Life): Promise<string | undefined> {
  const { stream, acknowledged } = outliving;
  if (hashOf(life.term.core) !== hashOf(folded(outliving))) return 'the state is not that of the history';
  const jobs = jobsIn(stream.history);
  for (const [id, payload] of acknowledged) if (jobs.get(id)?.payload !== payload) return `${id} is not recorded`;
  const statuses = new Map(life.statuses().map(({ id, status }) => [id as string, status as string]));
  for (const [id, { status }] of jobs) if (statuses.get(id) !== status) return `${id} is not ${status}`;
  if (statuses.size !== jobs.size) return 'there are jobs that were never recorded';
  for (const [id, payload] of await life.payloads()) if (jobs.get(id)!.payload !== payload) return `payload of ${id}`;
  const read = new Map<number, string>();
  for await (const { seq, bytes } of outliving.through(await stream.open()).replay(1)) {
    read.set(seq, Buffer.from(bytes).toString('hex'));
  }
  if (read.size !== stream.history.size) return `${read.size} of ${stream.history.size} commits are left`;
  for (const [seq, bytes] of stream.history) if (read.get(seq) !== Buffer.from(bytes).toString('hex')) return `${seq}`;
  return undefined;
}

/** The next broker, and one after it. */
async function wrongAfter(outliving: Outliving): Promise<string | undefined> {
  const next = await Life.begin(outliving, new Faults(Infinity, 'fails before'));
  const wrong = await wrongIn(outliving, next);
  if (wrong) return wrong;
  const { firstSeq } = outliving.stream;
  for (let nth = 0; nth < 3; nth += 1) if ((await next.snapshot()) !== 'taken') return 'no snapshot can be taken';
  const leased = await next.lease(50);
  const recorded = jobsIn(outliving.stream.history);
  for (const [id, payload] of leased) if (recorded.get(id)?.payload !== payload) return `lease of ${id}`;
  await next.truncate();
  if (outliving.stream.firstSeq <= firstSeq) return 'it is truncated no more';
  const names = [...outliving.objects.held].filter(([name]) => !name.startsWith('carried/'));
  const unverified = names.filter(([, { metadata }]) => metadata['reprise']!.includes('"isVerified":false'));
  if (names.length !== 3 || unverified.length > 0) return `${names.length} snapshots, ${unverified.length} unverified`;
  await next.end();
  const last = await Life.begin(outliving, new Faults(Infinity, 'fails before'));
  const later = await wrongIn(outliving, last);
  await last.end();
  return later && `then: ${later}`;
}

async function operations(): Promise<readonly string[]> {
  const faults = new Faults(Infinity, 'fails before');
  await play(new Outliving(), faults);
  return faults.operations;
}

t.test('the script does everything that may fail', async (t) => {
  const done = new Set(await operations());
  const ofObjects = ['put snapshot', 'read snapshot', 'mark snapshot', 'remove snapshot', 'put carried', 'remove carried'];
  const wanted = [...ofObjects, 'append', 'truncate'];
  t.strictSame(wanted.filter((each) => !done.has(each)), []);
});

/** Of all others it makes no difference whether they were done, and a crash there is one after the last change. */
const CHANGES = /^(put|mark|remove|append|truncate)/;

for (const way of WAYS) {
  t.test(`given an operation that ${way} it is done, then nothing is lost, and the next broker goes on`, async (t) => {
    for (const [nth, operation] of (await operations()).entries()) {
      if (way === 'fails before' || CHANGES.test(operation)) await faultAt(t, nth + 1, way);
    }
  });
}

async function faultAt(t: { fail(message: string): void }, at: number, way: Way): Promise<void> {
  const outliving = new Outliving();
  const faults = new Faults(at, way);
  await play(outliving, faults);
  const wrong = await wrongAfter(outliving).catch(String);
  if (wrong) t.fail(`operation ${at}, ${faults.operations[at - 1]}: ${wrong}`);
}
