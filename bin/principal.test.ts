import t from 'tap';
import { principal } from './principal.js';

t.test('a principal is a user at a host, whatever the system says', async (t) => {
  t.equal(principal(() => 'ada', () => 'engine'), 'ada@engine');
  t.match(principal(), /^[^@]+@[^@]+$/);
  const unknown = (): string => { throw new Error('no such user'); };
  t.equal(principal(unknown, () => ''), 'unknown@unknown');
  t.equal(principal(() => 'a\u0000d\na\u202e\u0085', () => ' engine\ud800'), 'ada@engine');
  const long = principal(() => 'é'.repeat(200), () => 'engine');
  t.equal(Buffer.byteLength(long), 128);
  t.notMatch(long, /\ufffd/);
});
