import { createHmac, randomBytes } from 'node:crypto';
import fc from 'fast-check';
import t from 'tap';
import { Keyring, SECRET_BYTES, type NamespaceKey } from './keyring.js';

const key = (id: string): NamespaceKey => ({ id, secret: randomBytes(SECRET_BYTES) });
const [one, two] = [key('1'), key('2')];

t.test('a signature is the id of the key and the HMAC-SHA-256 of the text, cut to 84 bits', async (t) => {
  const keyring = new Keyring([one]);
  fc.assert(fc.property(fc.string({ maxLength: 512, unit: 'binary-ascii' }), (text) => {
    const mac = createHmac('sha256', one.secret).update(text).digest('base64url').slice(0, 14);
    return keyring.sign(text) === `1.${mac}` && keyring.verifies(text, `1.${mac}`);
  }));
  t.throws(() => keyring.sign('x'.repeat(513)), RangeError);
});

t.test('every other signature is refused', async (t) => {
  const keyring = new Keyring([one]);
  const signature = keyring.sign('text');
  fc.assert(fc.property(fc.string(), (other) => other === signature || !keyring.verifies('text', other)));
  fc.assert(fc.property(fc.nat(signature.length - 1), fc.constantFrom('A', 'b', '-', '.'), (at, character) => {
    const changed = signature.slice(0, at) + character + signature.slice(at + 1);
    return changed === signature || !keyring.verifies('text', changed);
  }));
  t.notOk(keyring.verifies('another text', signature));
  const wrongs = ['', '.', '1.', '1', signature.slice(2), `${signature}A`, signature.slice(0, -1)];
  for (const wrong of wrongs) t.notOk(keyring.verifies('text', wrong));
});

t.test('keys can be changed: the first one signs, and older ones are accepted until they are removed', async (t) => {
  const before = new Keyring([one]).sign('text');
  const during = new Keyring([two, one]);
  t.ok(during.verifies('text', before));
  t.match(during.sign('text'), /^2\./);
  t.notOk(new Keyring([two]).verifies('text', before));
  const namesake = new Keyring([{ id: '1', secret: two.secret }]);
  t.notOk(namesake.verifies('text', before), 'the id of a key alone does not verify');
});
