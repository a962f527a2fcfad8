import t from 'tap';
import { clockFinding, journalClockFindings } from './clock.js';

t.test('the server’s clock is compared with this machine’s, and with the time of the journals', (t) => {
  t.match(clockFinding(1_000_000, 999_990, 1_000_020), [{ level: 'ok' }]);
  t.match(clockFinding(1_005_000, 999_990, 1_000_020), [{ level: 'warn', found: /4995 ms ahead/ }]);
  t.strictSame(clockFinding(Number.NaN, 0, 0), [], 'a server that does not report its time');
  t.strictSame(journalClockFindings([{ partition: 0, nowMs: 1_000_000, storedMs: 1_000_040 }]), []);
  const stamps = [
    { partition: 0, nowMs: 0, storedMs: 0 },
    { partition: 1, nowMs: 86_400_000, storedMs: 0 },
    { partition: 2, nowMs: 0, storedMs: 20_000 },
  ];
  t.match(journalClockFindings(stamps), [
    { level: 'warn', what: 'clock', found: /partition 1 is 86400000 ms ahead of the server/ },
    { level: 'warn', found: /partition 2 is 20000 ms behind/ },
  ]);
  t.end();
});
