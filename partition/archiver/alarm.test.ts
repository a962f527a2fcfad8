import t from 'tap';
import { AlarmClock, waitingOf } from './alarm.js';

t.test('given a store that fails, then there is an alarm after the time, and each such time again', async (t) => {
  const clock = new AlarmClock(100, 0);
  t.equal(clock.failed('ARCHIVE_UNREACHABLE', 'no'), true);
  t.equal(clock.failed('ARCHIVE_UNREACHABLE', 'still no'), false, 'one series');
  t.equal(clock.due(99), undefined);
  t.match(clock.due(100), { code: 'ARCHIVE_UNREACHABLE', why: 'still no', minutes: 0 });
  t.equal(clock.due(199), undefined);
  t.match(clock.due(60_000), { minutes: 1 });
  t.equal(clock.well(60_001), true, 'it was an alarm');
  t.equal(clock.well(60_002), false);
  t.equal(clock.due(60_101), undefined);
  t.match(clock.due(60_102), { why: 'the archiver reports nothing' }, 'silence is an alarm too');
});

t.test('given an archive that does not fit, then there is an alarm at once', async (t) => {
  const clock = new AlarmClock(100, 0);
  clock.failed('ARCHIVE_BROKEN', 'another commit');
  t.match(clock.due(1), { code: 'ARCHIVE_BROKEN' });
  t.equal(clock.due(2), undefined);
});

t.test('what waits, and when the journal is full', async (t) => {
  const size = { lastSeq: 1_000, messages: 500, bytes: 50_000, mostBytes: Infinity };
  t.strictSame(waitingOf(900, size), { positions: 100, bytes: 10_000 });
  t.strictSame(waitingOf(0, size), { positions: 1_000, bytes: 50_000 }, 'not more than there is');
  const before = { size: { ...size, bytes: 40_000 }, agoMs: 60_000 };
  t.strictSame(waitingOf(900, size, before), { positions: 100, bytes: 10_000 }, 'there is no limit');
  const limited = { ...size, mostBytes: 100_000 };
  t.match(waitingOf(900, limited, before), { fullInMinutes: 5 });
  t.equal(waitingOf(900, limited, { size, agoMs: 60_000 }).fullInMinutes, undefined, 'it does not grow');
});
