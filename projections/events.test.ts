import t from 'tap';
import type { Namespace, Partition } from '../protocols/ids.js';
import { job, journal } from '../protocols/messages.js';
import { encodeEvents } from '../streams/commit.js';
import { Play } from '../tests/play.js';
import { committedOf } from '../streams/committed.js';
import { removeContents } from '../streams/contents.js';
import { EventsProjection } from './events.js';

t.test('given a commit, each of its events is published as a journal.Fact on a subject of its own', (t) => {
  const published: [string, Buffer][] = [];
  const projection = new EventsProjection({
    ns: 'default' as Namespace, publish: (subject, parts) => published.push([subject, Buffer.concat(parts)]),
    hasListener: async () => true, mayPublish: () => true, onSettled: () => {},
  });
  projection.lead();
  const name = { kind: 'job', id: '0-0123456789abcdef', type: 'JobDelayed' };
  const body = job.JobDelayed.encode({ status: 'scheduled', dueMs: 1_700_000_000_500 }).finish();
  const bytes = journal.Event.encode({ ...name, version: 1, cause: { commandId: 'c1', type: 'SubmitJob', by: 'client' }, body }).finish();
  const events = Array.from({ length: 300 }, () => name);
  const commit = { partition: 2 as Partition, journalId: 'j', epoch: 7, seq: 5_000_000_000, hash: new Uint8Array(), nowMs: 1_700_000_000_000, bytes: encodeEvents(events.map(() => bytes)), events };
  events.forEach((event, index) => projection.evolve(event, index, commit));

  t.equal(published[0]![0], 'reprise.default.event.job.0-0123456789abcdef.JobDelayed');
  for (const index of [0, 127, 128, 299]) {
    const fact = journal.Fact.decode(published[index]![1]);
    t.same([fact.partition, fact.epoch, fact.seq, fact.index, fact.nowMs], [2, 7, 5_000_000_000, index, 1_700_000_000_000]);
    t.same(fact.event, journal.Event.decode(bytes), 'the event in it is the journal’s');
  }
  t.same(job.JobDelayed.decode(journal.Fact.decode(published[0]![1]).event!.body!).dueMs, 1_700_000_000_500);
  t.end();
});

t.test('the body of a published event is whole; if its content was removed, the fact says so', (t) => {
  const play = new Play();
  play.submit({ payload: Buffer.from('"for watchers"') });
  const [written] = play.commits;
  const factOf = (bytes: Uint8Array): journal.Fact => {
    const published: Buffer[] = [];
    const projection = new EventsProjection({
      ns: 'default' as Namespace, publish: (_, parts) => published.push(Buffer.concat(parts)),
      hasListener: async () => true, mayPublish: () => true, onSettled: () => {},
    });
    projection.lead();
    const commit = committedOf(journal.Commit.decode(bytes), 0 as Partition, 1, new Uint8Array(32), bytes);
    commit.events.forEach((event, index) => projection.evolve(event, index, commit));
    return journal.Fact.decode(published[0]!);
  };
  const whole = factOf(written!).event!;
  t.equal(Buffer.from(job.JobSubmitted.decode(whole.body!).payload).toString(), '"for watchers"');
  t.equal(whole.content, null);
  const bare = factOf(removeContents(written!, [0])).event!;
  t.match(job.JobSubmitted.decode(bare.body!), { jobType: 'square', payload: { length: 0 } });
  t.equal(bare.content?.size, 14);
  t.end();
});
