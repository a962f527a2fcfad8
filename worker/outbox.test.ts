import fc from 'fast-check';
import t from 'tap';
import type { Report } from './performer/outcome.js';
import { Outbox } from './outbox.js';

const report = (token: string, bytes = 0): Report => ({ token, outcome: 'ok', result: new Uint8Array(bytes) });
const tokens = (reports: readonly Report[]): string[] => reports.map(({ token }) => token);

t.test('a report is kept until its request is answered', async (t) => {
  const outbox = new Outbox();
  t.ok(outbox.isEmpty);
  outbox.add(report('a'));
  outbox.add(report('b'));
  t.same(tokens(outbox.take(1, 10, 1e6)), ['a', 'b']);
  t.equal(outbox.waiting, 0);
  t.notOk(outbox.isEmpty, 'sent is not delivered');
  outbox.add(report('c'));
  t.same(tokens(outbox.take(2, 10, 1e6)), ['c'], 'what is in an open request is not sent twice');
  outbox.lost(1);
  t.same(tokens(outbox.take(3, 10, 1e6)), ['a', 'b'], 'what was lost is sent again');
  t.same(tokens(outbox.answered(3)), ['a', 'b']);
  t.same(tokens(outbox.answered(3)), [], 'once');
  outbox.allLost();
  t.equal(outbox.waiting, 1);
  t.same(outbox.take(4, 10, 1e6).length, 1);
  outbox.answered(4);
  t.ok(outbox.isEmpty);
});

t.test('requests are bounded', async (t) => {
  const outbox = new Outbox();
  for (const name of ['a', 'b', 'c', 'd']) outbox.add(report(name, 1_000));
  t.same(tokens(outbox.take(1, 2, 1e6)), ['a', 'b'], 'by number');
  t.same(tokens(outbox.take(2, 9, 1_500)), ['c'], 'by bytes');
  t.same(tokens(outbox.take(3, 9, 10)), ['d'], 'one is sent, however large');
});

t.test('a report can be dropped, or sent again', async (t) => {
  const outbox = new Outbox();
  outbox.add(report('a'));
  outbox.add(report('b'));
  t.ok(outbox.resend('a'), 'waiting already');
  outbox.take(1, 9, 1e6);
  t.ok(outbox.resend('a'));
  t.equal(outbox.waiting, 2);
  t.notOk(outbox.resend('z'));
  outbox.drop('a');
  t.same(tokens(outbox.take(2, 9, 1e6)), ['b']);
  outbox.drop('b');
  t.same(tokens(outbox.answered(2)), []);
});

t.test('no report is lost or sent twice at once, whatever happens to requests', async () => {
  const step = fc.constantFrom('add', 'take', 'answer', 'lose', 'allLost');
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(20)), { maxLength: 80 }), (steps) => {
      const outbox = new Outbox();
      const added: string[] = [];
      const delivered = new Set<string>();
      let request = 0;
      for (const [what, drawn] of steps) {
        if (what === 'add') outbox.add(report(added[added.push(`t${added.length}`) - 1]!));
        else if (what === 'take') outbox.take((request += 1), 1 + drawn, 1e6);
        else if (what === 'answer') for (const { token } of outbox.answered(drawn)) delivered.add(token);
        else if (what === 'lose') outbox.lost(drawn);
        else outbox.allLost();
      }
      outbox.allLost();
      const rest = tokens(outbox.take(request + 1, 1e6, 1e9));
      const all = [...delivered, ...rest].sort();
      return new Set(rest).size === rest.length && JSON.stringify(all) === JSON.stringify([...added].sort());
    }),
  );
});
