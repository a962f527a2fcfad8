import t from 'tap';
import { committedOf, type Committed } from '../streams/committed.js';
import { first, ok, Play } from '../tests/play.js';
import { jobId, type Partition } from '../protocols/ids.js';
import { journal } from '../protocols/messages.js';
import { hashOf } from '../streams/chain.js';
import { readCommit } from '../streams/contents.js';
import { JobsProjection } from './jobs.js';
import { JournalArchive } from './journal-archive.js';
import { ProjectionRunner } from './runner.js';

const P0 = 0 as Partition;
const committed = (play: Play): Committed[] =>
  play.commits.map((bytes, nth) => committedOf(journal.Commit.decode(bytes), P0, nth + 1, hashOf(bytes), bytes));

const played = (): Play => {
  const play = new Play();
  play.register('w1');
  const id = play.submit({ key: 'k', priority: 3, labels: { team: 'a' } });
  play.pull('w1', 1, 1);
  play.pull('w1', 2, 0, [], [ok(first('w1', id))]);
  play.submit();
  return play;
};

t.test('given a journal, the projection says of each job where it begins and ends, and how it ended', async (t) => {
  const play = played();
  const jobs = new JobsProjection();
  const runner = new ProjectionRunner(P0, [jobs]);
  for (const commit of committed(play)) runner.follow(commit);
  const [done, waiting] = [...play.jobs.all()].map(({ id }) => id);
  t.same(await jobs.find(done!), { firstSeq: 2, lastSeq: 4, status: 'completed' });
  t.same(await jobs.find(waiting!), { firstSeq: 5, lastSeq: 5, status: undefined });
  t.equal(await jobs.find(jobId(P0, new Uint8Array(10).fill(9))), undefined);

  const archive = new JournalArchive(jobs, async (seq) => readCommit(play.commits[seq - 1]!));
  const found = await archive.find(done!);
  t.match(found, {
    type: 'square', key: 'k', priority: 3, labels: { team: 'a' }, status: 'completed', attempt: 1, workerId: 'w1',
    result: { seq: 4, index: 0 },
  });
  t.equal(await archive.find(waiting!), undefined, 'a job that has not ended is the leader’s to tell of');
});

t.test('a projection that is deleted comes back equal, and one that comes back goes on from its checkpoint', (t) => {
  const commits = committed(played());
  const seen = (from?: { seq: number; hash: Uint8Array }): string[] => {
    const events: string[] = [];
    const evolve = (event: { type: string }, index: number, commit: Committed) =>
      void events.push(`${commit.seq}.${index} ${event.type}`);
    const projection = { name: 'list', evolve };
    const runner = new ProjectionRunner(P0, [projection]);
    runner.begin('list', from);
    for (const commit of commits) runner.follow(commit);
    return events;
  };
  t.same(seen(), seen());
  const { seq, hash } = commits[2]!;
  t.same(seen({ seq, hash }), seen().slice(3));
  const elsewhere = { seq, hash: new Uint8Array(32) };
  t.throws(() => seen(elsewhere), { code: 'JOURNAL_REGRESSED' }, 'a checkpoint in another journal is found out');
  t.end();
});
