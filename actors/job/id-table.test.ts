import fc from 'fast-check';
import t from 'tap';
import { jobId, type JobId, type Partition } from '../../protocols/ids.js';
import { Play } from '../../tests/play.js';
import { IdTable } from './id-table.js';
import { detached } from './job-copy.js';
import { JobTable } from './job-row.js';
import type { Job } from './job.js';

const P3 = 3 as Partition;
const play = new Play();
play.submit();
const some = detached([...play.jobs.all()][0]!);

/** Few different first words, so that many ids want one slot. */
function idOf([first, last]: readonly [number, number]): JobId {
  const random = Buffer.alloc(10);
  random[3] = first;
  random[9] = last;
  return jobId(P3, random);
}

t.test('whatever is added and deleted, each id that is there is found, and no other', (t) => {
  const pair = fc.tuple(fc.nat(3), fc.nat(60));
  fc.assert(fc.property(fc.array(pair, { maxLength: 1_500, size: 'max' }), (pairs) => {
    const table = new JobTable(P3);
    const ids = new IdTable(table);
    const there = new Set<JobId>();
    for (const id of pairs.map(idOf)) {
      const row = ids.find(id);
      if (there.has(id) !== row >= 0) return false;
      if (there.delete(id)) {
        ids.delete(row);
        table.remove(row);
      } else {
        there.add(id);
        ids.add(table.add({ ...some, id }).row);
      }
    }
    for (const id of there) if (table.at(ids.find(id)).id !== id) return false;
    return ids.size === there.size;
  }), { numRuns: 50 });
  t.end();
});

t.test('every field of a job that is written into a row is read from it', (t) => {
  const table = new JobTable(P3);
  const content = { hash: '\x80'.repeat(32), size: 3 };
  const job: Job = {
    ...some, id: idOf([1, 2]), priority: -5, key: 'k', labels: { a: 'b' }, status: 'retrying', attempt: 2, lease: 3,
    workerId: 'w' as Job['workerId'], session: 's' as Job['session'], pullSeq: 2 ** 40, dueMs: 1, attemptDueMs: 2,
    reported: true, cancelling: true, cancelReason: { text: 'why', content }, endedMs: 4, lastSeq: 2 ** 41,
    failure: { code: 'X', message: 'm', content }, result: { seq: 9, index: 1, contentType: 'a/b', ...content },
  };
  const stored = table.restore(job);
  t.strictSame(detached(stored), job);
  t.equal(table.at(stored.row).id, job.id, 'the id is in the row');
  stored.failure = undefined;
  t.strictSame(detached(stored), { ...job, failure: undefined });
  table.remove(stored.row);
  t.strictSame([...table.rows.read(0).u32.slice(0, table.rows.rowBytes / 4)].some(Boolean), false, 'a free row has zeros');
  t.end();
});
