import fc from 'fast-check';
import t from 'tap';
import type { AttemptReport } from './performer/outcome.js';
import { PendingReports } from './pending-reports.js';

const report = (token: string, bytes = 0): AttemptReport => ({ token, outcome: 'ok', result: new Uint8Array(bytes) });
const tokens = (reports: readonly AttemptReport[]): string[] => reports.map(({ token }) => token);

t.test('a report is kept until its request is answered', async (t) => {
  const pending = new PendingReports();
  t.ok(pending.isEmpty);
  pending.add(report('a'));
  pending.add(report('b'));
  t.same(tokens(pending.take(1, 10, 1e6)), ['a', 'b']);
  t.equal(pending.waiting, 0);
  t.notOk(pending.isEmpty, 'sent is not delivered');
  pending.add(report('c'));
  t.same(tokens(pending.take(2, 10, 1e6)), ['c'], 'what is in an open request is not sent twice');
  pending.lost(1);
  t.same(tokens(pending.take(3, 10, 1e6)), ['a', 'b'], 'what was lost is sent again');
  t.same(tokens(pending.answered(3)), ['a', 'b']);
  t.same(tokens(pending.answered(3)), [], 'once');
  pending.allLost();
  t.equal(pending.waiting, 1);
  t.same(pending.take(4, 10, 1e6).length, 1);
  pending.answered(4);
  t.ok(pending.isEmpty);
});

t.test('requests are bounded', async (t) => {
  const pending = new PendingReports();
  for (const name of ['a', 'b', 'c', 'd']) pending.add(report(name, 1_000));
  t.same(tokens(pending.take(1, 2, 1e6)), ['a', 'b'], 'by number');
  t.same(tokens(pending.take(2, 9, 1_500)), ['c'], 'by bytes');
  t.same(tokens(pending.take(3, 9, 10)), ['d'], 'one is sent, however large');
});

t.test('a report can be dropped, or sent again', async (t) => {
  const pending = new PendingReports();
  pending.add(report('a'));
  pending.add(report('b'));
  t.ok(pending.resend('a'), 'waiting already');
  pending.take(1, 9, 1e6);
  t.ok(pending.resend('a'));
  t.equal(pending.waiting, 2);
  t.notOk(pending.resend('z'));
  pending.drop('a');
  t.same(tokens(pending.take(2, 9, 1e6)), ['b']);
  pending.drop('b');
  t.same(tokens(pending.answered(2)), []);
});

t.test('no report is lost or sent twice at once, whatever happens to requests', async () => {
  const step = fc.constantFrom('add', 'take', 'answer', 'lose', 'allLost');
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(20)), { maxLength: 80 }), (steps) => {
      const pending = new PendingReports();
      const added: string[] = [];
      const delivered = new Set<string>();
      let request = 0;
      for (const [what, drawn] of steps) {
        if (what === 'add') pending.add(report(added[added.push(`t${added.length}`) - 1]!));
        else if (what === 'take') pending.take((request += 1), 1 + drawn, 1e6);
        else if (what === 'answer') for (const { token } of pending.answered(drawn)) delivered.add(token);
        else if (what === 'lose') pending.lost(drawn);
        else pending.allLost();
      }
      pending.allLost();
      const rest = tokens(pending.take(request + 1, 1e6, 1e9));
      const all = [...delivered, ...rest].sort();
      return new Set(rest).size === rest.length && JSON.stringify(all) === JSON.stringify([...added].sort());
    }),
  );
});
