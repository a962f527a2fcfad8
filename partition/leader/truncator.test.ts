import pino from 'pino';
import t from 'tap';
import type { Partition } from '../../protocols/ids.js';
import { Carried } from '../../streams/snapshots/carried.js';
import { MemoryObjects } from '../../streams/snapshots/conformance/objects.js';
import type { StoredSnapshot } from '../../streams/snapshots/store.js';
import { MemoryStream } from '../../streams/memory.js';
import { CASES, folded, poisoned } from '../../tests/poisoned.js';
import { Truncator } from './truncator.js';

const P0 = 0 as Partition;
const PAYLOAD = Buffer.from('its payload');

t.test('given a job that is set aside, then its payload is carried while it may be taken back', async (t) => {
  for (const [what, type, change, { status }] of CASES) {
    const { play, id, commits } = poisoned(type, change);
    const { state } = folded(commits);
    const stream = new MemoryStream(P0);
    for (const bytes of play.commits) stream.write(bytes);
    const { payload: { seq, index } } = play.jobs.get(id)!;
    const carried = new Carried(new MemoryObjects(), P0);
    await carried.open(state.journalId);
    let archivedSeq = seq;
    const { journalId, seq: lastSeq } = state;
    const snapshot = { isVerified: true, journalId, seq: lastSeq } as Partial<StoredSnapshot> as StoredSnapshot;
    const truncator = new Truncator({
      partition: P0, state, journal: await stream.open(), snapshots: { list: async () => [snapshot, snapshot] }, carried,
      archived: () => ({ seq: archivedSeq }), projections: () => [], load: async () => PAYLOAD,
      record: async (cut) => void (state.truncated = { seq: cut.seq, hash: '' }),
      clock: { nowMs: () => 0, monoMs: () => 0, draw: () => 0 }, log: pino({ level: 'silent' }),
      policy: { margin: 0, least: 1, mostLag: 1, everyMs: 3_600_000 },
    });
    for (; archivedSeq <= lastSeq; archivedSeq += 1) {
      await truncator.run();
      t.equal(state.truncated?.seq, archivedSeq);
      const expected = status === 'absent' ? undefined : PAYLOAD;
      t.same(await carried.find({ seq, index }), expected, `${what}, cut at ${archivedSeq}`);
    }
    await truncator.end();
  }
});
