import t from 'tap';
import { visible } from './terminal.js';

t.test('control characters of untrusted text are escaped', (t) => {
  t.equal(visible('\u001b[31mred\u001b]0;title\u0007 \u009b1m'), '\\x1b[31mred\\x1b]0;title\\x07 \\x9b1m');
  t.equal(visible('one\ntwo'), 'one\\x0atwo', 'and it cannot fake a line');
  t.equal(visible('a\u202eb\u2066c\u2069\u061c\u2028d'), 'a\\u202eb\\u2066c\\u2069\\u061c\\u2028d', 'nor show it in another order');
  t.equal(visible('Grüße, 世界'), 'Grüße, 世界');
  t.end();
});
